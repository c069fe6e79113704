/** Files that the lines of a failure name, likeliest to be changed first: files of the project itself, nearest the cause, named most often. */
const PATH =
  /(?:[\w@.+-]+[/\\])*[\w@+-][\w@.+-]*\.(?:py|pyx|pyi|java|kt|kts|groovy|scala|sc|clj|js|jsx|mjs|cjs|ts|tsx|vue|svelte|go|rs|rb|rake|php|cs|fs|vb|c|cc|cpp|cxx|h|hh|hpp|m|mm|swift|ex|exs|erl|hs|pl|pm|R|jl|dart|lua|tf|yml|yaml|toml|json|xml|gradle|cfg|ini|md|rst|txt|sh|css|scss|less|html|sql|proto|cmake|csproj)\b/g
const FRAME = /\bat (?:[\w.$/]+\.)([\w$]+)\.[\w$<>]+\((?:[\w./-]+:)?([\w$]+\.(?:java|kt|groovy|scala))(?::\d+)?\)/
const TEST_CLASS = /\b([A-Z]\w*(?:Tests?|IT|Spec|TestCase))\b/g
const PYTHON_TEST = /^(?:FAIL|ERROR): (?:\w+ )?\(?([\w.]+)\)?/
/** Folders whose files no change of this project touches. */
const FOREIGN =
  /(?:site-packages|dist-packages|node_modules|\.m2|\.cargo|\.rustup|\/usr\/(?:lib|include|local\/lib)|lib\/python\d|\.gradle|go\/pkg\/mod|\/opt\/|vendor\/|\.rvm|gems\/|\.travis|internal\/|\.nvm|target\/(?:debug|release)|surefire|jdk|\.pyenv|_work\/_tool|hostedtoolcache|\.stack|\.cache|https?:)/i
const FOREIGN_PACKAGE =
  /\bat (?:java|javax|jdk|sun|com\.sun|scala|kotlin|groovy|org\.junit|org\.apache|org\.codehaus|org\.gradle|org\.mockito|org\.hamcrest|org\.assertj|org\.springframework|com\.google\.(?:common|inject)|junit|io\.netty|org\.testng|org\.eclipse|net\.bytebuddy|com\.fasterxml)\./

export interface FileHint {
  /** Lines that state the cause, best first, and the lines around them. */
  readonly cause: readonly string[]
  readonly around: readonly string[]
}
const clean = (path: string): string =>
  path
    .replace(/\\/g, '/')
    .replace(/^(?:\.\/)+/, '')
    .replace(
      /^\/?(?:home\/[\w-]+\/(?:work\/[^/]+\/[^/]+|build\/[^/]+\/[^/]+)|Users\/[\w-]+\/(?:work\/[^/]+\/[^/]+|build\/[^/]+\/[^/]+)|builds?\/[^/]+\/[^/]+|github\/workspace|__w\/[^/]+\/[^/]+|app|workspace|src(?=\/src))\//,
      '',
    )
    .replace(/^\/+/, '')

export const findFiles = ({ cause, around }: FileHint): string[] => {
  const scores = new Map<string, number>()
  const add = (raw: string, points: number) => {
    const path = clean(raw)
    if (path.length > 200 || /^\d/.test(path)) return
    scores.set(path, (scores.get(path) ?? 0) + points)
  }
  const read = (text: string, points: number) => {
    const frame = FRAME.exec(text)
    if (frame) {
      if (!FOREIGN_PACKAGE.test(text)) add(frame[2] as string, points)
      return
    }
    for (const m of text.matchAll(PATH)) {
      const before = text.slice(Math.max(0, m.index - 60), m.index)
      if (FOREIGN.test(m[0]) || FOREIGN.test(before.split(/\s/).at(-1) ?? '')) continue
      add(m[0], /\.(?:txt|json|xml|html|md|ya?ml|h)$/.test(m[0]) ? points * 0.5 : points)
    }
    const dotted = PYTHON_TEST.exec(text)?.[1]
    if (dotted?.includes('.')) {
      const parts = dotted.split('.')
      const named = parts.filter(p => !/^[A-Z]/.test(p))
      add(`${named.join('/')}.py`, points)
    }
    for (const m of text.matchAll(TEST_CLASS)) if (/FAIL|ERROR|expected/i.test(text)) add(`${m[1]}.java`, points * 0.6)
  }
  cause.forEach((text, i) => {
    read(text, 4 / (1 + i))
  })
  around.forEach((text, i) => {
    read(text, 1 / (1 + i / 10))
  })
  const ranked = [...scores].sort((a, b) => b[1] - a[1]).map(([path]) => path)
  // One file under two paths counts once, under the longer one.
  return ranked
    .filter((p, i) => !ranked.some((q, j) => j !== i && q.endsWith(`/${p}`) && (scores.get(q) as number) > 0 && (j < i || true)))
    .slice(0, 10)
}
