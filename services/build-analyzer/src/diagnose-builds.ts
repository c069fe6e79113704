import { analyzeBuild, KINDS } from '@aegis/build-analysis'
import {
  type BuildDiagnosis,
  type BuildFailed,
  ciDiagnoses,
  ciFailures,
  emit,
  type Input,
  idOf,
  isFrom,
  type Result,
  type Stage,
} from '@aegis/domain'
import { redact } from '@aegis/log-mining'
import { fingerprintOf } from './join-causes.ts'

/** Failed jobs to diagnoses, one for one: what a log says does not depend on other logs. */
export class DiagnoseBuilds implements Stage {
  async process(batch: readonly Input[]): Promise<readonly Result[]> {
    return batch.flatMap(input => (isFrom(input, ciFailures) ? [emit(ciDiagnoses, diagnose(input.value), input)] : []))
  }
}

const diagnose = (failure: BuildFailed): BuildDiagnosis => {
  const { failures, command, files, dependency } = analyzeBuild(failure.log, failure.green_log ?? undefined)
  return {
    id: idOf(failure.id, 'diagnosis'),
    environment: failure.environment,
    time: failure.time,
    failure: failure.id,
    repository: failure.repository,
    run: failure.run,
    job: failure.job,
    pull_request: failure.pull_request ?? null,
    url: failure.url ?? null,
    command: command === undefined ? null : redact(command),
    causes: failures.map(f => ({
      key: fingerprintOf(f),
      kind: f.kind,
      tool: f.tool,
      type: f.type,
      class: f.class,
      whose: f.whose,
      confidence: f.confidence,
      abstain: f.abstain,
      lines: [...f.causeLines],
      quotes: f.quotes.map(q => ({ line: q.line, text: redact(q.text) })),
      fix: KINDS[f.kind].fix,
      prevention: KINDS[f.kind].prevention,
    })),
    files: files.map(file => redact(file)),
    dependency: dependency?.name ?? null,
    dependency_version: dependency?.to ?? null,
  }
}
