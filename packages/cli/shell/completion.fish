# Whether the words up to the cursor are that command, and so many arguments of it (none named: any).
function __limpet_at
  set -l at
  set -l skip 0
  set -l place 0
  for word in (commandline -opc)[2..-1]
    if test $skip = 1
      set skip 0
      continue
    end
    switch $word
      case '-*'
        contains -- "$at $word" $__limpet_valued; and set skip 1
      case '*'
        if contains -- (string join " " $at $word) $__limpet_paths
          set at (string join " " $at $word)
        else
          set place (math $place + 1)
        end
    end
  end
  test "$at" = "$argv[1]"; and begin; test (count $argv) = 1; or test $place = $argv[2]; end
end
