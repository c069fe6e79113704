/** `aegis completion bash|zsh|fish`: a script for the shell, made from the commands themselves. */
import { Argument, Command } from 'commander'

/** What may come after the words of a command: those below it, and its options. */
const wordsOf = (command: Command): string[] => [
  ...command.commands.map(c => c.name()),
  ...command.options.flatMap(o => o.long ?? []),
  '--help',
]
/** Every command that has something below or after it, by its words: '', 'dlq', 'dlq list'. */
const tree = (command: Command, path = ''): [path: string, words: string[]][] => [
  [path, wordsOf(command)],
  ...command.commands.flatMap(c => tree(c, path === '' ? c.name() : `${path} ${c.name()}`)),
]

const bash = (all: readonly (readonly [string, readonly string[]])[]): string => `_aegis() {
  local cur=\${COMP_WORDS[COMP_CWORD]} path= word i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    case "$word" in -*) ;; *) path="\${path:+$path }$word" ;; esac
  done
  while :; do
    case "$path" in
${all.map(([path, words]) => `      '${path}') COMPREPLY=($(compgen -W '${words.join(' ')}' -- "$cur")); return ;;`).join('\n')}
    esac
    # An argument, and no command: what stands before it says what may come.
    case "$path" in *' '*) path=\${path% *} ;; *) path= ;; esac
  done
}
complete -o default -F _aegis aegis
`
const fish = (all: readonly (readonly [string, readonly string[]])[]): string =>
  all
    .flatMap(([path, words]) => {
      const when =
        path === ''
          ? '__fish_use_subcommand'
          : path
              .split(' ')
              .map(w => `__fish_seen_subcommand_from ${w}`)
              .join('; and ')
      return words.map(word =>
        word.startsWith('--')
          ? `complete -c aegis -n '${path === '' ? '' : when}' -l ${word.slice(2)}`
          : `complete -c aegis -n '${when}' -f -a ${word}`,
      )
    })
    .join('\n')
    .concat('\n')

/** @param program the whole of `aegis`, every command loaded */
export const completionCommand = (program: () => Promise<Command>): Command =>
  new Command('completion')
    .addArgument(new Argument('<shell>', 'which shell').choices(['bash', 'zsh', 'fish']))
    .addHelpText(
      'after',
      '\nbash: aegis completion bash > ~/.local/share/bash-completion/completions/aegis\nzsh:  source <(aegis completion zsh)\nfish: aegis completion fish > ~/.config/fish/completions/aegis.fish',
    )
    .action(async (shell: string) => {
      const all = tree(await program())
      if (shell === 'fish') process.stdout.write(fish(all))
      // zsh runs bash's completion functions.
      else process.stdout.write(`${shell === 'zsh' ? 'autoload -U +X bashcompinit && bashcompinit\n' : ''}${bash(all)}`)
    })
