# Walks the words up to the cursor, then asks the functions that stand above it in the finished script.
# shellcheck shell=bash disable=SC2207,SC2154
_limpet() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
  local at='' word kind i place=0 skip=0 where=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    [[ $word == '=' ]] && continue
    if ((skip)); then skip=0; continue; fi
    case $word in
      -*)
        _limpet_value "$at" "$word" >/dev/null && skip=1
        case $word in --socket|--config|-c) where+=("$word" "${COMP_WORDS[i+1]}") ;; esac ;;
      *)
        if _limpet_words "${at:+$at }$word" >/dev/null; then at=${at:+$at }$word; else ((place++)); fi ;;
    esac
  done
  COMPREPLY=()
  if ((skip)); then kind=$(_limpet_value "$at" "$prev"); else kind=$(_limpet_arg "$at" "$place"); fi
  if ((!skip)) && { [[ $cur == -* ]] || [[ -z $kind ]]; }; then
    COMPREPLY=($(compgen -W "$(_limpet_words "$at")" -- "$cur"))
    return
  fi
  case $kind in
    words*) COMPREPLY=($(compgen -W "${kind#words }" -- "$cur")) ;;
    names*) COMPREPLY=($(compgen -W "$(limpet completion-names ${kind#names } "${where[@]}" 2>/dev/null)" -- "$cur")) ;;
    file) COMPREPLY=($(compgen -f -- "$cur")); compopt -o filenames 2>/dev/null ;;
  esac
}
complete -F _limpet limpet
