/** A command as a shell splits it: its words, without their quotes. */
export function words(command: string): string[] {
  return [...command.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g)].map(([word]) =>
    word.replace(
      /'([^']*)'|"([^"]*)"/g,
      (_, single: string | undefined, double: string | undefined) => single ?? double ?? '',
    ),
  )
}

/** The commands of a shell script without control structures, each as its words: pipes, lists and continued lines are taken apart. */
export function shellCommands(script: string): string[][] {
  const joined = script.replace(/\\\n\s*/g, ' ').replace(/\|\n\s*/g, '| ')
  return joined
    .split('\n')
    .map((line) => line.replace(/(^|\s)#.*$/, ''))
    .flatMap((line) => line.split(/\s(?:&&|\|\||\||&)(?=\s|$)/))
    .map((command) => words(command))
    .map((command) => command.slice(command.findIndex((word) => !/^[A-Z_]+=/.test(word))))
    .filter((command) => command.length > 0)
}
