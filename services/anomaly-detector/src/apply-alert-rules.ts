import { AlertRules, type RuleAlert } from '@aegis/anomaly-detection/alert-rules'
import { type Anomaly, type EnvironmentClocks, idOf, models, type Observation, type Tick } from '@aegis/domain'
import { ALERT_RULES } from '@aegis/model-registry'
import { readAlertRules } from './read-alert-rules.ts'

/** The rules in force at the tick, held against every observation as it comes; absence is noticed at ticks. */
export class ApplyAlertRules {
  readonly #rules = new AlertRules()
  #version = ''

  point(o: Observation, time: number): Anomaly[] {
    return this.#rules
      .point({
        environment: o.environment,
        entity: o.entity,
        metric: o.metric_name,
        labels: o.dimensions,
        time,
        value: o.value,
      })
      .map(anomalyOf)
  }

  tick(tick: Tick, clocks: EnvironmentClocks): Anomaly[] {
    const now = (environment: string) => clocks.now(environment)
    const published = tick.inForce(models, ALERT_RULES)
    const out: RuleAlert[] = []
    if (published?.weights && published.version !== this.#version) {
      this.#version = published.version
      // Checked before they were published; who writes something else there gets no rules.
      const read = readAlertRules(Buffer.from(published.weights).toString(), ALERT_RULES)
      out.push(...this.#rules.replace(read.rules, now))
    }
    return [...out, ...this.#rules.tick(now)].map(anomalyOf)
  }

  toJSON() {
    return { version: this.#version, rules: this.#rules.save() }
  }
  fromJSON(state: { version: string; rules: ReturnType<AlertRules['save']> }): void {
    this.#version = state.version
    this.#rules.load(state.rules)
  }
}

function anomalyOf(a: RuleAlert): Anomaly {
  const kind = a.expected === undefined ? 'rule' : 'predicted'
  const { when, severity, name } = a.rule
  const [threshold] = Object.values(when) as number[]
  const metric = a.rule.metric
  return {
    id: idOf(a.environment, a.entity, kind, name, a.series, a.started),
    environment: a.environment,
    time: a.time,
    state: a.state,
    entity: a.entity,
    kind,
    severity,
    score: a.value,
    threshold,
    summary: a.text,
    started: a.started,
    ended: a.state === 'close' ? a.time : null,
    series: [
      {
        metric: a.series,
        unit: '',
        value: a.value,
        expected_low: 'below' in when ? threshold : Math.min(0, threshold),
        expected_high: threshold,
        score: a.value,
      },
    ],
    templates: [],
    evidence: [
      { kind: 'series', entity: a.entity, text: a.text, time: a.started, stream: 'metrics.raw', name: metric, after: a.value },
    ],
    detector: 'alert-rules',
    model_version: name,
  }
}
