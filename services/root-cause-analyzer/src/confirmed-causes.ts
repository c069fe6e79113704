import { BoundedMap, type Feedback } from '@aegis/domain'
import { type Calibration, type Confirmed, fusedWeights, recalibrate } from '@aegis/root-cause'

const MOST = { diagnoses: 1000, confirmed: 500 } as const
/** The last diagnosis of an incident, kept for the day a person says whether it was right. */
interface Diagnosis {
  readonly incident: string
  readonly environment: string
  readonly cause: string
  readonly margin: number
}
export interface ConfirmedState {
  diagnoses?: Diagnosis[]
  confirmed?: [string, (Confirmed & { readonly incident: string })[]][]
}

/** What people said of diagnoses: from then on confidence is what it was worth in that environment. */
export class ConfirmedCauses {
  readonly #diagnoses = new BoundedMap<string, Diagnosis>(MOST.diagnoses)
  /** Confirmed incidents of each environment, oldest first. */
  #confirmed = new Map<string, (Confirmed & { readonly incident: string })[]>()
  /** Follows from what was confirmed; not in the snapshot. */
  readonly #calibrations = new Map<string, Calibration>()

  told(diagnosis: Diagnosis): void {
    this.#diagnoses.set(diagnosis.incident, diagnosis)
  }

  confirm(f: Feedback): void {
    const diagnosis = this.#diagnoses.get(f.incident)
    if (!diagnosis) return
    const list = (this.#confirmed.get(f.environment) ?? []).filter(c => c.incident !== f.incident)
    list.push({ incident: f.incident, margin: diagnosis.margin, right: diagnosis.cause === f.cause })
    this.#confirmed.set(f.environment, list.slice(-MOST.confirmed))
    this.#calibrations.delete(f.environment)
  }

  calibration(environment: string): Calibration {
    let known = this.#calibrations.get(environment)
    if (!known) {
      known = recalibrate(this.#confirmed.get(environment) ?? [], fusedWeights.calibration)
      this.#calibrations.set(environment, known)
    }
    return known
  }

  toJSON(): Required<ConfirmedState> {
    return { diagnoses: [...this.#diagnoses.values()], confirmed: [...this.#confirmed] }
  }
  fromJSON({ diagnoses, confirmed }: ConfirmedState): void {
    this.#diagnoses.load((diagnoses ?? []).map(d => [d.incident, d]))
    this.#confirmed = new Map(confirmed ?? [])
    this.#calibrations.clear()
  }
}
