# Walks the words up to the cursor, then asks the functions that stand above it in the finished script.
_limpet() {
  local at='' word kind i place=0 skip=0
  local -a where
  for ((i = 2; i < CURRENT; i++)); do
    word=${words[i]}
    if ((skip)); then skip=0; continue; fi
    case $word in
      -*)
        _limpet_value "$at" "$word" >/dev/null && skip=1
        case $word in --socket|--config|-c) where+=("$word" "${words[i+1]}") ;; esac ;;
      *)
        if _limpet_words "${at:+$at }$word" >/dev/null; then at=${at:+$at }$word; else ((place++)); fi ;;
    esac
  done
  if ((skip)); then kind=$(_limpet_value "$at" "${words[CURRENT-1]}"); else kind=$(_limpet_arg "$at" "$place"); fi
  if ((!skip)) && { [[ ${words[CURRENT]} == -* ]] || [[ -z $kind ]]; }; then
    compadd -- ${=$(_limpet_words "$at")}
    return
  fi
  case $kind in
    words*) compadd -- ${=kind#words } ;;
    names*) compadd -- ${(f)"$(limpet completion-names ${kind#names } "${where[@]}" 2>/dev/null)"} ;;
    file) _files ;;
  esac
}
if [[ ${funcstack[1]-} == _limpet ]]; then _limpet "$@"; else compdef _limpet limpet; fi
