/**
 * Templates of one entity, window by window: which are new, which are back after long, which come much more or much less often than they used to,
 * which have stopped.
 *
 * Each template has a mean and a variance of its lines per window, moved slowly by windows in which it was not flagged. What is expected of it
 * follows the entity's whole volume, up for "more" and down for "less", so that a change of the load alone flags nothing. A template that widened
 * comes with a new id; it takes over what was known of those it covers.
 */
import { farAbove, nextBar, UnusualCount } from './unusual-count.ts'
import { WIDTH, type WindowCounts } from './window-ensemble.ts'

export type RateKind = 'new template' | 'rare template' | 'more often' | 'less often' | 'stopped'
export interface RateFinding<Quote> {
  readonly kind: RateKind
  readonly templateId: string
  readonly text: string
  readonly seen: number
  /** Lines that were to be expected in the same time. */
  readonly expected: number
  readonly quotes: readonly Quote[]
}
export interface RatesOptions {
  /** Windows listened to before anything is flagged. Default 36. */
  readonly warmUp?: number
  /** Templates followed; the one unseen for longest makes room. Default 256. */
  readonly maxTemplates?: number
  /** Windows after which what is still flagged is the new normal. Default 60. */
  readonly newNormal?: number
}

interface Known<Quote> {
  slot: number
  text: string
  /** Lines in the open window, and in the last ones. */
  lines: number
  recent: number[]
  mean: number
  variance: number
  /** Windows since the first, windows with a line, and windows since the last line, with the longest such pause. */
  age: number
  present: number
  gap: number
  longestGap: number
  /** Lines expected since the last one. */
  missed: number
  flagged: number
  /** How much further than usual it must lie to be flagged. */
  bar: number
  /** WARN or worse. */
  bad: boolean
  /** Not in the stream before the open window. */
  fresh: boolean
  quotes: Quote[]
}

/** Windows in which more, and less, than usual is looked for: what is missing takes longer to be sure of. */
const MORE_SPAN = 3
const LESS_SPAN = 12
const QUOTES = 2
const RARE_AGE = 200
const RARE_SHARE = 0.01
/** Lines whose absence is no chance: e^-12. */
const MISSED = 12

export class TemplateRates<Quote> {
  readonly #warmUp: number
  readonly #maxTemplates: number
  readonly #newNormal: number
  #templates = new Map<string, Known<Quote>>()
  /** Templates counted under a wider one. */
  #aliases = new Map<string, string>()
  #slots = 0
  #windows = 0
  #total = 0
  #totals: number[] = []
  #volume = 0
  #news = new UnusualCount(1)

  constructor(options: RatesOptions = {}) {
    this.#warmUp = options.warmUp ?? 36
    this.#maxTemplates = options.maxTemplates ?? 256
    this.#newNormal = options.newNormal ?? 60
  }

  get lines(): number {
    return this.#total
  }
  textOf(templateId: string): string | undefined {
    return this.#templates.get(templateId)?.text
  }

  /** Counts a line; gives the template it was counted under, which is a wider one where a known one covers it. `renamed` hears what became of others. */
  line(templateId: string, text: string, bad: boolean, quote: Quote, renamed: (from: string, to: string) => void): string {
    let id = this.#aliases.get(templateId) ?? templateId
    let known = this.#templates.get(id)
    if (!known) {
      // A miner that starts anew knows narrower templates at first than the one that was learned from.
      const wider = [...this.#templates].find(([, t]) => covers(t.text, text))
      if (wider) {
        if (this.#aliases.size >= this.#maxTemplates) this.#aliases.clear()
        id = wider[0]
        known = wider[1]
        this.#aliases.set(templateId, id)
      } else {
        id = templateId
        this.#aliases.delete(id)
        this.#templates.set(id, (known = this.#heir(id, text, renamed)))
      }
    }
    known.lines++
    known.bad ||= bad
    known.quotes.push(quote)
    if (known.quotes.length > QUOTES) known.quotes.shift()
    this.#total++
    return id
  }

  /** What is in the open window, for a model of its mix. */
  counts(): WindowCounts {
    return [...this.#templates.values()].filter(({ lines }) => lines > 0).map(({ slot, lines }) => [slot, lines])
  }

  /** The templates of the open window that deviate most from their means, for a person to read. */
  strangest(most: number): { templateId: string; text: string; quotes: readonly Quote[]; bad: boolean }[] {
    return [...this.#templates]
      .filter(([, { lines }]) => lines > 0)
      .map(([templateId, t]) => ({
        templateId,
        t,
        far: Math.abs(t.lines - t.mean) / Math.sqrt(Math.max(t.variance, t.mean, 0.1)),
      }))
      .sort((a, b) => b.far - a.far)
      .slice(0, most)
      .map(({ templateId, t }) => ({ templateId, text: t.text, quotes: t.quotes, bad: t.bad }))
  }

  /** Ends the window. */
  close(): RateFinding<Quote>[] {
    const ready = this.#windows >= this.#warmUp
    this.#totals.push(this.#total)
    if (this.#totals.length > LESS_SPAN) this.#totals.shift()
    const found: RateFinding<Quote>[] = []
    const news: RateFinding<Quote>[] = []
    for (const [templateId, t] of this.#templates) {
      t.recent.push(t.lines)
      if (t.recent.length > LESS_SPAN) t.recent.shift()
      const flagged = ready && t.age >= this.#warmUp ? judge(t, n => this.#load(t, n), isSteady(t, this.#warmUp)) : undefined
      const finding = (kind: RateKind, seen: number, expected: number) => ({
        kind,
        templateId,
        text: t.text,
        seen,
        expected,
        quotes: [...t.quotes],
      })
      if (flagged) found.push(finding(...flagged))
      else if (t.lines > 0 && t.fresh) news.push(finding('new template', t.lines, 0))
      else if (ready && t.lines > 0 && isRare(t)) news.push(finding('rare template', t.lines, t.mean))
      this.#learn(t, flagged !== undefined)
    }
    // Where new templates are daily bread, one more is no news.
    if (2 * this.#windows >= this.#warmUp && this.#news.close(news.length) && ready) found.push(...news)
    if (this.#total > 0) this.#volume += Math.max(1 / (this.#windows + 1), 0.02) * (this.#total - this.#volume)
    this.#windows++
    this.#total = 0
    return found
  }

  /** How the entity's lines of the last windows compare to its usual volume. Those of the others: what grows by itself must not excuse itself. */
  #load(t: Known<Quote>, windows: number): number {
    const own = t.recent.slice(-windows)
    return (
      Math.max(0, sum(this.#totals.slice(-own.length)) - sum(own) + 1) / Math.max(1, own.length * (this.#volume - t.mean) + 1)
    )
  }

  #learn(t: Known<Quote>, flagged: boolean): void {
    if (t.lines > 0) {
      if (t.present > 0) t.longestGap = Math.max(t.longestGap, t.gap)
      t.present++
      t.gap = 0
      t.missed = 0
    } else {
      // The mean is held while it pauses: otherwise a slow template would be forgotten before it is missed.
      t.gap++
      t.missed += t.mean * Math.min(1, this.#load(t, 1))
    }
    t.bar = nextBar(t.bar, flagged && t.flagged === 0)
    t.flagged = flagged ? t.flagged + 1 : 0
    t.age++
    t.fresh = false
    const pausing = t.gap > t.longestGap && t.missed < MISSED && isSteady(t, this.#warmUp)
    if ((!flagged && !pausing) || t.flagged > this.#newNormal) {
      const rate = Math.max(1 / t.age, t.flagged > this.#newNormal ? 0.1 : 0.02)
      // One window far off must not widen the band so much that the next one passes.
      const band = 4 * Math.sqrt(Math.max(t.variance, t.mean, 1))
      const off = t.age <= this.#warmUp / 2 ? t.lines - t.mean : Math.min(band, Math.max(-band, t.lines - t.mean))
      t.mean += rate * off
      t.variance += rate * (off * off - t.variance)
    }
    t.lines = 0
  }

  /** A new record; where the text covers templates that are known, they were widened into it. */
  #heir(templateId: string, text: string, renamed: (from: string, to: string) => void): Known<Quote> {
    const heir: Known<Quote> = {
      slot: -1,
      text,
      lines: 0,
      recent: [],
      mean: 0,
      variance: 0,
      age: 0,
      present: 0,
      gap: 0,
      longestGap: 0,
      missed: 0,
      flagged: 0,
      bar: 1,
      bad: false,
      fresh: true,
      quotes: [],
    }
    for (const [id, t] of this.#templates) {
      if (id === templateId || !covers(text, t.text)) continue
      const older = heir.age > t.age ? heir : t
      Object.assign(heir, {
        slot: older.slot,
        lines: heir.lines + t.lines,
        mean: heir.mean + t.mean,
        variance: heir.variance + t.variance,
        age: older.age,
        present: Math.max(heir.present, t.present),
        gap: heir.age === 0 ? t.gap : Math.min(heir.gap, t.gap),
        longestGap: older.longestGap,
        bar: older.bar,
        bad: heir.bad || t.bad,
        fresh: heir.age === 0 ? t.fresh : heir.fresh && t.fresh,
        quotes: [...heir.quotes, ...t.quotes].slice(-QUOTES),
      })
      this.#templates.delete(id)
      renamed(id, templateId)
    }
    if (heir.slot < 0) heir.slot = this.#slots++ % WIDTH
    if (this.#templates.size >= this.#maxTemplates) {
      let oldest: string | undefined
      let gap = -1
      for (const [id, t] of this.#templates) if (t.gap > gap) [oldest, gap] = [id, t.gap]
      if (oldest !== undefined) this.#templates.delete(oldest)
    }
    return heir
  }

  toJSON() {
    return {
      templates: [...this.#templates],
      aliases: [...this.#aliases],
      slots: this.#slots,
      windows: this.#windows,
      total: this.#total,
      totals: this.#totals,
      volume: this.#volume,
      news: this.#news.toJSON(),
    }
  }
  load(state: ReturnType<TemplateRates<Quote>['toJSON']>): this {
    this.#templates = new Map(state.templates)
    this.#aliases = new Map(state.aliases)
    this.#slots = state.slots
    this.#windows = state.windows
    this.#total = state.total
    this.#totals = [...state.totals]
    this.#volume = state.volume
    this.#news.load(state.news)
    return this
  }
}

function judge<Quote>(
  t: Known<Quote>,
  load: (windows: number) => number,
  steady: boolean,
): [kind: RateKind, seen: number, expected: number] | undefined {
  const newest = t.recent.slice(-MORE_SPAN)
  const seen = sum(newest)
  const up = Math.max(1, load(MORE_SPAN))
  const most = t.mean * newest.length * up
  if (seen >= 12 && farAbove(seen, most, t.variance * newest.length * up ** 2, t.bar) && t.lines > t.mean)
    return ['more often', seen, most]
  const missed = t.missed + (t.lines === 0 ? t.mean * Math.min(1, load(1)) : 0)
  if (steady && t.lines === 0 && missed >= MISSED * t.bar && t.gap + 1 > 3 * t.longestGap) return ['stopped', 0, missed]
  const all = sum(t.recent)
  const least = t.mean * t.recent.length * Math.min(1, load(LESS_SPAN))
  if (t.lines > 0 && least - all > 6 * t.bar * Math.sqrt(Math.max(least, t.variance * t.recent.length)))
    return ['less often', all, least]
  return undefined
}

const sum = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0)

/** Came in most windows for as long as the warm-up, before it paused: something at the start of a process is not missed later. */
const isSteady = <Quote>(t: Known<Quote>, windows: number): boolean =>
  t.age - t.gap >= windows && t.present >= 0.5 * (t.age - t.gap)

const isRare = <Quote>(t: Known<Quote>): boolean =>
  t.bad && t.age >= RARE_AGE && t.gap >= RARE_AGE / 2 && t.present / t.age <= RARE_SHARE

/** Whether every line of the template `narrow` could be one of `wide`. Greedy matching of "<*>", linear but for repeats of the same words. */
export function covers(wide: string, narrow: string): boolean {
  const parts = wide.split('<*>')
  if (parts.length < 2 || wide.length - 3 * (parts.length - 1) < 4) return false
  const last = parts[parts.length - 1] as string
  if (!narrow.startsWith(parts[0] as string) || !narrow.endsWith(last)) return false
  let at = (parts[0] as string).length
  const end = narrow.length - last.length
  for (const part of parts.slice(1, -1)) {
    const found = narrow.indexOf(part, at)
    if (found < 0 || found + part.length > end) return false
    at = found + part.length
  }
  return at <= end
}
