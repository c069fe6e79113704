/**
 * Watches the log of one entity without labels: line by line, and a word at the end of each window on what was strange in it.
 *
 * Five signals: templates that are new, rare, more or less frequent or gone (template-rates.ts); numbers out of range (parameter-ranges.ts);
 * sessions that break off or go another way (session-watch.ts); and the mix of templates as a whole (window-ensemble.ts). Each trains itself on the
 * stream and leaves out what was flagged, until it has stayed long enough to be the new normal. The mix is looked at over several windows at once:
 * in a single one the noise of few lines hides what changed (docs/ideas/log-mining.md).
 */

import type { Parameter } from '@aegis/domain'
import { ParameterRanges } from './parameter-ranges.ts'
import { SessionWatch, type SessionWatchOptions } from './session-watch.ts'
import { type RateKind, TemplateRates } from './template-rates.ts'
import { nextBar, UnusualCount } from './unusual-count.ts'
import { type WindowCounts, WindowEnsemble } from './window-ensemble.ts'

export interface WatchedLine<Quote> {
  readonly templateId: string
  readonly template: string
  readonly parameters: readonly Parameter[]
  /** WARN or worse. */
  readonly bad: boolean
  /** Request, block or instance it belongs to. */
  readonly session?: string
  readonly timeUs: number
  /** What is handed back where the line is quoted; must survive JSON. */
  readonly quote: Quote
}
export type LogFindingKind = RateKind | 'parameter out of range' | 'sequence break' | 'unusual mix'
export interface LogFinding<Quote> {
  readonly kind: LogFindingKind
  /** Template it is about; '' for sessions and mixes. */
  readonly templateId: string
  /** One sentence. */
  readonly text: string
  readonly score: number
  readonly threshold: number
  readonly quotes: readonly Quote[]
}

/** Windows that make a mix, every how many of them it is learned from, and the lines without which it says nothing. */
const MIX_WINDOWS = 6
const MIX_LEARNED = 3
const MIX_LINES = 10
/** How many more mixes strange than not before it is said, and before it is the new normal. */
const MIX_ROW = 2
const NEW_NORMAL = 60
const OUTSIDE_LINES = 3

interface OutsideLine<Quote> {
  templateId: string
  text: string
  quote: Quote
}

export class LogWatch<Quote> {
  readonly #rates = new TemplateRates<Quote>()
  readonly #ranges = new ParameterRanges()
  readonly #sessions: SessionWatch<Quote>
  #ensemble: WindowEnsemble
  readonly #ensembleOptions: { readonly warmUp: number }
  readonly #outsideUsual = new UnusualCount(OUTSIDE_LINES)
  #outsideLines = 0
  #outside: OutsideLine<Quote>[] = []
  /** Counts of the last windows, oldest first. */
  #lately: WindowCounts[] = []
  /** Windows since something was found, and since a mix was learned. */
  #calm = 0
  #unlearned = 0
  #mixRow = 0
  #mixBar = 1

  /**
   * @param turn any number; entities with other turns fit their models at other times, so that the loop is not held up by all of them at once
   * @param sessions settings of the watch over sessions
   */
  constructor(turn = 0, sessions: SessionWatchOptions = {}) {
    this.#sessions = new SessionWatch(sessions)
    this.#ensembleOptions = { warmUp: 32 + (turn % 32) }
    this.#ensemble = new WindowEnsemble(this.#ensembleOptions)
  }

  line({ templateId, template, parameters, bad, session, timeUs, quote }: WatchedLine<Quote>): void {
    const id = this.#rates.line(templateId, template, bad, quote, (from, to) => this.#sessions.rename(from, to))
    if (session !== undefined) this.#sessions.line(session, id, timeUs, quote)
    const [outside] = this.#ranges.observe(id, parameters)
    if (outside === undefined) return
    this.#outsideLines++
    if (this.#outside.length < OUTSIDE_LINES)
      this.#outside.push({
        templateId: id,
        text: `${outside.text} in "${template}", where ${shown(outside.least)} to ${shown(outside.most)} is usual`,
        quote,
      })
  }

  /** It is given up: what it took of the room that watches share is free again. */
  leave(): void {
    this.#sessions.leave()
  }

  /** Ends the window at this time; the last one where nothing more comes. */
  close(nowUs: number, final = false): LogFinding<Quote>[] {
    this.#lately.push(this.#rates.counts())
    if (this.#lately.length > MIX_WINDOWS) this.#lately.shift()
    const lately = this.#lately.flat()
    const lines = lately.reduce((sum, [, n]) => sum + n, 0)
    const mix = this.#lately.length === MIX_WINDOWS && lines >= MIX_LINES ? lately : undefined
    const strangest = this.#rates.strangest(3)
    const found: LogFinding<Quote>[] = this.#rates.close().map(({ kind, templateId, text, seen, expected, quotes }) => ({
      kind,
      templateId,
      text: `${kind}: "${text}", ${seen} lines where ${expected < 10 ? expected.toFixed(1) : expected.toFixed(0)} are usual`,
      score: Math.abs(seen - expected) / Math.sqrt(Math.max(expected, 1)),
      threshold: kind === 'new template' || kind === 'rare template' ? 0 : 6,
      quotes,
    }))
    const outside = this.#outsideUsual.close(this.#outsideLines)
    const first = this.#outside[0]
    if (outside && first)
      found.push({
        kind: 'parameter out of range',
        templateId: first.templateId,
        text: `parameter out of range: ${first.text}`,
        score: this.#outsideLines,
        threshold: OUTSIDE_LINES,
        quotes: this.#outside.map(({ quote }) => quote),
      })
    this.#outsideLines = 0
    this.#outside = []
    if (final) this.#sessions.end(nowUs)
    const broken = this.#sessions.close(nowUs)
    if (broken)
      found.push({
        kind: 'sequence break',
        templateId: '',
        text: `sequence break: ${this.#inWords(broken.reasons[0] ?? '')}`,
        score: broken.score,
        threshold: broken.threshold,
        quotes: broken.quotes,
      })
    if (mix) {
      const scored = this.#ensemble.score(mix, this.#mixBar)
      const strange = scored !== undefined && scored.score > scored.threshold && this.#staysStrange()
      const before = this.#mixRow
      this.#mixRow = strange ? Math.min(this.#mixRow + 1, NEW_NORMAL) : Math.max(0, this.#mixRow - 1)
      // What was told raises its own bar, once it is over.
      this.#mixBar = nextBar(this.#mixBar, before >= MIX_ROW && this.#mixRow < MIX_ROW)
      if (scored && strange && this.#mixRow >= MIX_ROW)
        found.push({
          kind: 'unusual mix',
          templateId: '',
          text: `unusual mix of lines: ${Object.entries(scored.members)
            .map(([name, score]) => `${name} ${score.toFixed(1)}`)
            .join(', ')}, together ${scored.score.toFixed(1)} over ${scored.threshold.toFixed(1)}`,
          score: scored.score,
          threshold: scored.threshold,
          quotes: strangest.flatMap(({ quotes }) => quotes.slice(-1)),
        })
      this.#calm = strange || found.length > 0 ? 0 : this.#calm + 1
      // Nothing flagged is learned, until it has stayed.
      if (++this.#unlearned >= MIX_LEARNED && (this.#calm >= MIX_WINDOWS || this.#mixRow >= NEW_NORMAL)) {
        this.#ensemble.learn(summed(mix))
        this.#unlearned = 0
      }
    }
    return found
  }

  /** The mix is strange without any one of its windows as well: a single odd one makes none. */
  #staysStrange(): boolean {
    return this.#lately.every((_, left) => {
      const scored = this.#ensemble.score(
        this.#lately.flatMap((counts, i) => (i === left ? [] : counts)),
        this.#mixBar,
      )
      return scored !== undefined && scored.score > scored.threshold
    })
  }

  #inWords(reason: string): string {
    return reason.replace(/[0-9a-f]{8,}/g, id => {
      const text = this.#rates.textOf(id)
      return text === undefined ? id : `"${text}"`
    })
  }

  toJSON() {
    return {
      rates: this.#rates.toJSON(),
      ranges: this.#ranges.toJSON(),
      sessions: this.#sessions.toJSON(),
      ensemble: this.#ensemble.toJSON(),
      outsideUsual: this.#outsideUsual.toJSON(),
      outsideLines: this.#outsideLines,
      outside: this.#outside,
      lately: this.#lately,
      calm: this.#calm,
      unlearned: this.#unlearned,
      mixRow: this.#mixRow,
      mixBar: this.#mixBar,
    }
  }
  load(state: ReturnType<LogWatch<Quote>['toJSON']>): this {
    this.#rates.load(state.rates)
    this.#ranges.load(state.ranges)
    this.#sessions.load(state.sessions)
    this.#ensemble = WindowEnsemble.fromJSON(state.ensemble, this.#ensembleOptions)
    this.#outsideUsual.load(state.outsideUsual)
    this.#outsideLines = state.outsideLines
    this.#outside = [...state.outside]
    this.#lately = [...state.lately]
    this.#calm = state.calm
    this.#unlearned = state.unlearned
    this.#mixRow = state.mixRow
    this.#mixBar = state.mixBar
    return this
  }
}

/** Counts that name a slot more than once, put together. */
const summed = (counts: WindowCounts): WindowCounts => {
  const sums = new Map<number, number>()
  for (const [slot, lines] of counts) sums.set(slot, (sums.get(slot) ?? 0) + lines)
  return [...sums]
}
const shown = (value: number): string => (Number.isInteger(value) ? String(value) : value.toPrecision(3))
