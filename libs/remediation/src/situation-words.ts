/** What moved a choice, said as people say it: features of a situation are named for machines. */
const FAULTS: Readonly<Record<string, string>> = {
  crash: 'has crashed',
  memory: 'runs out of memory',
  cpu: 'is short of processor time',
  deploy: 'was just deployed anew',
  config: 'was just configured anew',
  pool: 'has no connection left',
  latency: 'is slow',
  disk: 'has a full disk',
  network: 'is hard to reach',
  error: 'throws errors',
  unknown: 'fails in a way nobody knows',
}
const percent = (share: number): string => `${Math.round(100 * share)} %`
const steps = (share: number): string => {
  const n = Math.round(5 * share)
  return `${n} step${n === 1 ? '' : 's'}`
}
type Say = (match: RegExpExecArray, value: number, more: boolean) => string
const SAYINGS: readonly (readonly [feature: RegExp, say: Say])[] = [
  [
    /^the (\w+) suspect is said to have: (\w+)$/,
    ([, who, kind], _, more) => `the ${who} suspect ${more ? FAULTS[kind] : `is not one that ${FAULTS[kind]}`}`,
  ],
  [
    /^confidence that the (\w+) suspect has: (\w+)$/,
    ([, who, kind], value, more) =>
      more
        ? `it is ${percent(value)} sure that the ${who} suspect ${FAULTS[kind]}`
        : `nothing says that the ${who} suspect ${FAULTS[kind]}`,
  ],
  [/^confidence in the (\w+) suspect$/, ([, who], value) => `the ${who} suspect is ${percent(value)} sure`],
  [
    /^pieces of evidence against the (\w+) suspect$/,
    ([, who], _, more) => `${more ? 'much' : 'little'} points at the ${who} suspect`,
  ],
  [
    /^evidence from (\w+) against the (\w+) suspect$/,
    ([, what, who], _, more) => `${what} ${more ? 'point' : 'do not point'} at the ${who} suspect`,
  ],
  [
    /^hops from the (\w+) suspect to the symptoms$/,
    ([, who], value) => `the symptoms are ${steps(value)} from the ${who} suspect`,
  ],
  [
    /^anomalous metrics of the (\w+) suspect$/,
    ([, who], _, more) => `${more ? 'many' : 'few'} series of the ${who} suspect are strange`,
  ],
  [
    /^what speaks against the (\w+) suspect being it$/,
    ([, who], value) => `${value > 0 ? 'something' : 'nothing'} speaks against the ${who} suspect`,
  ],
  [/^health of the (\w+) suspect$/, ([, who], value) => `the health of the ${who} suspect is ${percent(value)}`],
  [
    /^tried on the (\w+) suspect: (\w+)$/,
    ([, who, action], value) => `${action} was ${value > 0 ? '' : 'not '}tried on the ${who} suspect`,
  ],
  [/^nothing tried yet$/, (_, value) => (value > 0 ? 'nothing was tried yet' : 'something was tried already')],
  [/^actions tried$/, (_, value) => `${Math.round(4 * value)} actions were tried`],
  [/^disruptive actions tried$/, (_, value) => `${Math.round(4 * value)} disruptive actions were tried`],
  [
    /^two suspects have the same kind of fault$/,
    (_, value) => `two suspects ${value > 0 ? 'fail' : 'do not fail'} in the same way`,
  ],
  [/^a deployment or change is part of the evidence$/, (_, value) => `${value > 0 ? 'a' : 'no'} change is part of the evidence`],
  [/^lead of the first suspect over the second$/, (_, value) => `the first suspect leads by ${percent(value)}`],
  [
    /^minutes since it began, of (?:ten|sixty)$/,
    (_, __, more) => `it began ${more ? 'a while' : 'just'} ago`.replace('just ago', 'just now'),
  ],
  [/^(worst|mean) health$/, ([, which], value) => `the ${which} health is ${percent(value)}`],
  [/^suspects$/, (_, value) => `there are ${Math.round(5 * value)} suspects`],
  [/^severity$/, (_, __, more) => `it is ${more ? 'more' : 'less'} severe than usual`],
  [
    /^(entities concerned|anomalies|edges between the entities|revisions of the diagnosis|entities in bad health)$/,
    ([, what], _, more) => `there are ${more ? 'more' : 'fewer'} ${what} than usual`,
  ],
]
/** @param usual the feature's usual value: what is told is which way it lies from there */
export const inPlainWords = (feature: string, value: number, usual: number): string => {
  for (const [pattern, say] of SAYINGS) {
    const match = pattern.exec(feature)
    if (match) return say(match, value, value > usual)
  }
  return `${feature} is ${value > usual ? 'more' : 'less'} than usual`
}
