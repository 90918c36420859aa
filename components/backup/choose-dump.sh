# For the restore scripts: prints the path of the dump that DUMP names, or of the newest. Their names sort by time.
choose_dump() { # <prefix> <ending>
  shopt -s nullglob
  local dumps=(/backups/"$1"-*."$2")
  local name=${DUMP:-}
  [[ -n $name || ${#dumps[@]} -eq 0 ]] || name=${dumps[-1]}
  name=${name##*/}
  if [[ -z $name || ! -f /backups/$name ]]; then
    echo "there is no dump ${name:-$1-*.$2} to restore; the volume has ${#dumps[@]} by $1:" >&2
    [[ ${#dumps[@]} -eq 0 ]] || printf '  %s\n' "${dumps[@]##*/}" >&2
    return 1
  fi
  echo "/backups/$name"
}
