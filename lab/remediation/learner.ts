/** What the learners of the lab that act while they learn have in common; the shipped policy is trained by `ppo.ts` instead. */
import type { Choice, Situation } from '@aegis/domain'

export interface Experience {
  readonly situation: Situation
  readonly choice: Choice
  readonly reward: number
  readonly done: boolean
}
export interface UpdateReport {
  readonly experiences: number
  readonly figures: Readonly<Record<string, number>>
}
export interface Learner {
  update(experiences: readonly Experience[]): Promise<UpdateReport>
}
