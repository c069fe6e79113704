// Generated from schemas/*.avsc by "npm run generate". Do not edit.

/** A series that took part in an anomaly. */
export interface GuiltySeries {
  /** Metric name, with its dimensions where it has any. */
  readonly metric: string
  /** Unit of value and band. */
  readonly unit?: string
  /** Value that stood out most. */
  readonly value: number
  /** Lower edge of the expected band. */
  readonly expected_low: number
  /** Upper edge of the expected band. */
  readonly expected_high: number
  /** How strange, in the detector's scale; higher is stranger. */
  readonly score: number
}

/** A reference to data that exists, with enough of it to be read on its own. */
export interface Evidence {
  /** series, log, span, edge, change or issue. */
  readonly kind: string
  /** Entity the evidence is about, kind:name. */
  readonly entity: string
  /** What it shows, in one sentence; for a log line, the line verbatim (redacted). */
  readonly text: string
  /** Event time, microseconds since the epoch. */
  readonly time: number
  /** Stream the data is on. */
  readonly stream: string
  /** Partition of the record. */
  readonly partition?: number
  /** Offset of the record; -1 where evidence sums up many records. */
  readonly offset?: number
  /** Metric or template the evidence is about. */
  readonly name?: string | null
  /** Typical value before, in the unit of the series. */
  readonly before?: number | null
  /** Value seen, in the unit of the series. */
  readonly after?: number | null
}

/** Something scored at or above its threshold: opened, updated or closed. */
export interface Anomaly {
  /** Hash of entity, kind and start. */
  readonly id: string
  /** Named deployment that fails and heals as one. */
  readonly environment: string
  /** Event time, microseconds since the epoch. */
  readonly time: number
  /** open, update or close. */
  readonly state: string
  /** Entity, kind:name. */
  readonly entity: string
  /** metric, log, trace, predicted, rule or drift. */
  readonly kind: string
  /** low, medium, high or critical. */
  readonly severity: string
  /** Score; higher is stranger. */
  readonly score: number
  /** Threshold the score is held against. */
  readonly threshold: number
  /** What is strange, in one sentence. */
  readonly summary: string
  /** First strange observation, microseconds since the epoch. */
  readonly started: number
  /** End, microseconds since the epoch. */
  readonly ended?: number | null
  /** Guilty series, most guilty first. */
  readonly series?: readonly GuiltySeries[]
  /** Guilty log templates. */
  readonly templates?: readonly string[]
  /** The very observations and lines. */
  readonly evidence: readonly Evidence[]
  /** Detector that scored it. */
  readonly detector: string
  /** Version of the model or settings. */
  readonly model_version: string
  /** Kind of action that often helps. */
  readonly recommended_action?: string | null
}

/** Who wrote what. */
export interface AuditEntry {
  /** Hash of who, what and when. */
  readonly id: string
  /** Named deployment that fails and heals as one. */
  readonly environment: string
  /** Event time, microseconds since the epoch. */
  readonly time: number
  /** Who. */
  readonly who: string
  /** What was done. */
  readonly what: string
  /** What it was done to. */
  readonly subject: string
  /** Details. */
  readonly details?: Readonly<Record<string, string>>
}

/** Something was changed: a deploy, a configuration, a scale or a flag. */
export interface Change {
  /** Hash of entity, kind, before and after, and time. */
  readonly id: string
  /** Named deployment that fails and heals as one. */
  readonly environment: string
  /** Event time, microseconds since the epoch. */
  readonly time: number
  /** Entity changed, kind:name. */
  readonly entity: string
  /** deploy, config, scale or flag. */
  readonly kind: string
  /** Value before; empty when not known. */
  readonly before: string
  /** Value after. */
  readonly after: string
  /** Who or what changed it. */
  readonly author?: string | null
  /** Where the change was seen. */
  readonly source: string
}

/** A line of the log, word for word, secrets removed. */
export interface LineQuote {
  /** Line number from 1. */
  readonly line: number
  /** Its text. */
  readonly text: string
}

/** One independent failure of the job. */
export interface BuildCause {
  /** Fingerprint: the same for the same cause in another job or run. */
  readonly key: string
  /** What is wrong, as the rules name it: assertion, resolution, disk. */
  readonly kind: string
  /** Tool whose words told; empty when none is known. */
  readonly tool: string
  /** One of the sixteen failure types, or code_defect; null when unknown. */
  readonly type?: string | null
  /** What kind of command failed: compile, test, style, dependency. */
  readonly class: string
  /** Whose it is: change, environment, flaky, external. */
  readonly whose: string
  /** 0..1: that the cause lines and the type are right. */
  readonly confidence: number
  /** Something failed, and the log does not say why. */
  readonly abstain?: boolean
  /** Line numbers from 1 that state the cause, best first. */
  readonly lines: readonly number[]
  /** What those lines say. */
  readonly quotes: readonly LineQuote[]
  /** What to do. */
  readonly fix: string
  /** How to keep it from coming back. */
  readonly prevention: string
}

/** Why a job failed, by lines of its log. */
export interface BuildDiagnosis {
  /** Hash of the failure's id. */
  readonly id: string
  /** Named deployment that fails and heals as one; for builds, whose pipeline it is. */
  readonly environment: string
  /** When the job ended, microseconds since the epoch. */
  readonly time: number
  /** Id of the ci.failures record. */
  readonly failure: string
  /** Repository. */
  readonly repository: string
  /** Run or pipeline. */
  readonly run: string
  /** Name of the job. */
  readonly job: string
  /** Number of the pull request it was built for. */
  readonly pull_request?: string | null
  /** Page of the job for people. */
  readonly url?: string | null
  /** Step or command that failed, secrets removed. */
  readonly command?: string | null
  /** Independent failures, most important first; empty when nothing failed. */
  readonly causes: readonly BuildCause[]
  /** Files that will have to change, likeliest first. */
  readonly files?: readonly string[]
  /** Dependency the failure speaks of. */
  readonly dependency?: string | null
  /** Its version in this build. */
  readonly dependency_version?: string | null
}

/** A job of a pipeline that failed, with its log. */
export interface BuildFailed {
  /** Hash of provider, repository, run, job and attempt. */
  readonly id: string
  /** Named deployment that fails and heals as one; for builds, whose pipeline it is. */
  readonly environment: string
  /** When the job ended, microseconds since the epoch. */
  readonly time: number
  /** Where it ran: github, gitlab, jenkins, upload. */
  readonly provider: string
  /** Repository, OWNER/NAME where the provider has owners. */
  readonly repository: string
  /** Branch that was built. */
  readonly branch?: string | null
  /** Commit that was built. */
  readonly commit?: string | null
  /** Number of the pull request it was built for. */
  readonly pull_request?: string | null
  /** Run or pipeline, as the provider names it. */
  readonly run: string
  /** Name of the job. */
  readonly job: string
  /** Page of the job for people. */
  readonly url?: string | null
  /** Log of the job as it came, lines split at "\n". */
  readonly log: string
  /** Log of the last green run of the same job, where one is kept. */
  readonly green_log?: string | null
}

/** A time in which nothing disruptive is done. */
export interface MaintenanceWindow {
  /** Start, microseconds since the epoch. */
  readonly from: number
  /** End, microseconds since the epoch. */
  readonly to: number
  /** Why. */
  readonly reason: string
  /** Entities it covers; empty means the whole environment. */
  readonly entities?: readonly string[]
}

/** How far the machine may go in one environment. */
export interface Control {
  /** Environment and version. */
  readonly id: string
  /** Named deployment that fails and heals as one. */
  readonly environment: string
  /** Event time, microseconds since the epoch. */
  readonly time: number
  /** Counts up. */
  readonly version: number
  /** True: nothing is acted on. */
  readonly kill_switch: boolean
  /** Ladder mode of actions not named. */
  readonly default_mode: string
  /** Ladder mode per action. */
  readonly ladder?: Readonly<Record<string, string>>
  /** Entities never acted on. */
  readonly protected?: readonly string[]
  /** Maintenance windows. */
  readonly maintenance?: readonly MaintenanceWindow[]
  /** Who set it. */
  readonly who: string
  /** A/B experiment between policies as JSON: name, state, arms with policy and share. */
  readonly experiment?: string | null
  /** The wish that set it. */
  readonly wanted?: string | null
  /** Version of the newest stop. */
  readonly stopped_at?: number | null
}

/** What somebody wants the machine to be allowed; in force once the clock has set it. */
export interface ControlWanted {
  /** Who asked, and when. */
  readonly id: string
  /** Named deployment that fails and heals as one. */
  readonly environment: string
  /** Event time, microseconds since the epoch. */
  readonly time: number
  /** What is to change, as JSON; what is not named stays. */
  readonly change: string
  /** Version that was in force for whoever asks. */
  readonly seen: number
  /** True: it counts only while that version is in force. */
  readonly only_if_seen: boolean
  /** Who asks. */
  readonly who: string
}

/** What to do about one field. */
export interface DriftAdvice {
  /** Path of the field. */
  readonly path: string
  /** What to do. */
  readonly action: string
  /** Why. */
  readonly reason: string
  /** Days until an exception must be looked at again. */
  readonly expires_in_days?: number | null
}

/** Who made a drift, why, how bad it is and what to do. */
export interface DriftAnalysis {
  /** Hash of the report's id. */
  readonly id: string
  /** Named deployment that fails and heals as one. */
  readonly environment: string
  /** When the drift was found, microseconds since the epoch. */
  readonly time: number
  /** Id of the drift.events record. */
  readonly report: string
  /** Address in the code. */
  readonly address: string
  /** Type of the resource. */
  readonly type: string
  /** Entity that it belongs to, kind:name. */
  readonly entity?: string | null
  /** What changed. */
  readonly attributes: readonly string[]
  /** Who made it, where an entry of an audit log tells. */
  readonly actor?: string | null
  /** How: iac, console, cli, script, service or controller. */
  readonly channel?: string | null
  /** That very entry as JSON, secrets removed. */
  readonly audit_entry?: string | null
  /** How sure it is that the entry, or that there is none, is right; 0 to 1. */
  readonly attribution_confidence: number
  /** Most likely cause; null where nothing tells. */
  readonly cause?: string | null
  /** Chance of each cause. */
  readonly probabilities: Readonly<Record<string, number>>
  /** Signs that spoke for the cause, strongest first. */
  readonly because: readonly string[]
  /** How bad for security, 0 to 1. */
  readonly security: number
  /** How bad for performance, 0 to 1. */
  readonly performance: number
  /** How bad for cost, 0 to 1. */
  readonly cost: number
  /** How bad for compliance, 0 to 1. */
  readonly compliance: number
  /** What counted for severity, strongest first. */
  readonly counted: readonly string[]
  /** auto_revert, codify_iac, escalate_review, accept_exception or manual_review. */
  readonly action: string
  /** What to do, field by field. */
  readonly advice: readonly DriftAdvice[]
  /** Code that keeps what is to be kept. */
  readonly codify?: string | null
  /** The whole in a few sentences. */
  readonly explanation: readonly string[]
  /** What was looked at, by name. */
  readonly features: Readonly<Record<string, number>>
}

/** One changed field. */
export interface DriftChange {
  /** Path of the field. */
  readonly path: string
  /** What the code says, as JSON; null where there is nothing, or a secret. */
  readonly before?: string | null
  /** What is there, as JSON; null where there is nothing, or a secret. */
  readonly after?: string | null
  /** True for a secret: that it changed is told, its values are not. */
  readonly hidden?: boolean
  /** Managers that own the field, where the source tells. */
  readonly owners?: readonly string[]
}

/** A commit to the code of the resource. */
export interface DriftCommit {
  /** When, microseconds since the epoch. */
  readonly time: number
  /** First line of its message. */
  readonly subject: string
}

/** An incident near the drift. */
export interface DriftIncident {
  /** Start, microseconds since the epoch. */
  readonly start: number
  /** End, microseconds since the epoch; null while open. */
  readonly end?: number | null
  /** 0 to 1. */
  readonly severity: number
}

/** A resource that is not as its code says, as a tool or a watcher found it. Secrets never enter: a secret field says only that it changed. */
export interface DriftReport {
  /** Hash of environment, address and when it was first seen. */
  readonly id: string
  /** Named deployment that fails and heals as one. */
  readonly environment: string
  /** When it was found, microseconds since the epoch. */
  readonly time: number
  /** open, or gone when it is as the code says again. */
  readonly state: string
  /** When it was first seen, microseconds since the epoch. */
  readonly started: number
  /** Who found it: terraform-plan, cloudformation-drift, pulumi, kubernetes, declared. */
  readonly tool: string
  /** Address in the code: Terraform address, logical id, Kind/name. */
  readonly address: string
  /** Type of the resource, in the words of the tool. */
  readonly type: string
  /** Name or identifier of the resource in the cloud. */
  readonly resource?: string | null
  /** Entity that it belongs to, kind:name. */
  readonly entity?: string | null
  /** What changed; (resource) where the resource itself is gone. */
  readonly attributes: readonly string[]
  /** Each changed field. */
  readonly changes: readonly DriftChange[]
  /** Entries of audit logs that name the resource, each as JSON, secrets removed. */
  readonly audit?: readonly string[]
  /** Recent commits to its code. */
  readonly commits?: readonly DriftCommit[]
  /** Incidents around it. */
  readonly incidents?: readonly DriftIncident[]
}

/** A person's word on the true cause. */
export interface Feedback {
  /** Hash of incident and person. */
  readonly id: string
  /** Named deployment that fails and heals as one. */
  readonly environment: string
  /** Event time, microseconds since the epoch. */
  readonly time: number
  /** Incident id. */
  readonly incident: string
  /** True cause, kind:name; empty when there was none. */
  readonly cause: string
  /** Who. */
  readonly who: string
  /** Anything else. */
  readonly note?: string
}

/** How well an entity is. */
export interface EntityHealth {
  /** Entity, kind:name. */
  readonly entity: string
  /** 0 (down) to 1 (well). */
  readonly score: number
}

/** A suspect, with its path and what speaks for and against it. */
export interface Cause {
  /** Suspected entity, kind:name. */
  readonly entity: string
  /** Calibrated probability that it is the true cause, 0 to 1. */
  readonly confidence: number
  /** Raw ranking score; higher is more suspect. */
  readonly score: number
  /** Entities from the cause to the symptom, along edges of the graph. */
  readonly path: readonly string[]
  /** Metrics of the cause, most guilty first. */
  readonly metrics: readonly string[]
  /** What speaks for it. */
  readonly evidence: readonly Evidence[]
  /** What speaks against it. */
  readonly against: readonly string[]
  /** One or two sentences a person can read. */
  readonly explanation: string
  /** Kind of fault the evidence points at: crash, memory, cpu, deploy, config, latency, pool, disk, error or unknown. */
  readonly fault_kind?: string
}

/** One step of the story, first sign to last symptom. */
export interface TimelineEntry {
  /** Event time, microseconds since the epoch. */
  readonly time: number
  /** Entity, kind:name. */
  readonly entity: string
  /** What happened. */
  readonly text: string
}

/** One dependency of the neighbourhood that was read. */
export interface GraphEdge {
  /** Entity that depends. */
  readonly from: string
  /** Entity depended on. */
  readonly to: string
  /** calls, runs_on, reads or writes. */
  readonly kind: string
}

/** Anomalies that belong together, with ranked causes. */
export interface Incident {
  /** Hash of environment and first anomaly. */
  readonly id: string
  /** Named deployment that fails and heals as one. */
  readonly environment: string
  /** Event time, microseconds since the epoch. */
  readonly time: number
  /** open, updated, mitigated, closed, reopened or merged. */
  readonly state: string
  /** Counts up with each record of this incident. */
  readonly revision: number
  /** low, medium, high or critical. */
  readonly severity: string
  /** First sign, microseconds since the epoch. */
  readonly started: number
  /** End, microseconds since the epoch. */
  readonly ended?: number | null
  /** Entities affected. */
  readonly entities: readonly string[]
  /** Ids of its anomalies. */
  readonly anomalies: readonly string[]
  /** Health per entity. */
  readonly health: readonly EntityHealth[]
  /** cause_named or not_enough_evidence. */
  readonly verdict: string
  /** Suspects, most likely first. */
  readonly causes: readonly Cause[]
  /** First sign to last symptom. */
  readonly timeline: readonly TimelineEntry[]
  /** The neighbourhood that was read. */
  readonly graph: readonly GraphEdge[]
  /** The story in a few sentences. */
  readonly explanation: string
  /** Incident this one was merged into. */
  readonly merged_into?: string | null
  /** Incident that this one was part of, until nothing was found to connect the two. */
  readonly split_from?: string | null
}

/** A known problem from outside: an alert, a failed probe, a Kubernetes event. */
export interface ExternalIssue {
  /** Identity the outside gives, or a hash. */
  readonly id: string
  /** Named deployment that fails and heals as one. */
  readonly environment: string
  /** Event time, microseconds since the epoch. */
  readonly time: number
  /** Entity concerned, kind:name. */
  readonly entity?: string | null
  /** alert, probe, crash_loop or event. */
  readonly kind: string
  /** Name of the alert or probe. */
  readonly name: string
  /** firing or resolved. */
  readonly state: string
  /** low, medium, high or critical. */
  readonly severity: string
  /** What it says. */
  readonly summary: string
  /** Labels. */
  readonly attributes?: Readonly<Record<string, string>>
}

/** One variable part of a log line. */
export interface Parameter {
  /** What the part looks like: number, ip, duration, path, id, word, … */
  readonly kind: string
  /** The part as it stood in the redacted line. */
  readonly text: string
}

/** Something named in a log line. */
export interface Mention {
  /** What it is: ip, path, url, host, error_code, exception, service, pod, user, … */
  readonly kind: string
  /** The text as found, masked where it names a person. */
  readonly text: string
}

/** A log line understood: its template, parameters, severity, category and mentions. */
export interface LogEvent {
  /** Hash of the line's place in logs.raw. */
  readonly id: string
  /** Named deployment that fails and heals as one. */
  readonly environment: string
  /** Event time, microseconds since the epoch. */
  readonly time: number
  /** Entity that wrote it, kind:name. */
  readonly entity: string
  /** Service that wrote it. */
  readonly service: string
  /** How the service was known: given, attribute, learned or source. */
  readonly service_known_by: string
  /** Hash of the template text. */
  readonly template_id: string
  /** Template with <*> for the variable parts. */
  readonly template: string
  /** The variable parts, in order. */
  readonly parameters: readonly Parameter[]
  /** DEBUG, INFO, WARN, ERROR or CRITICAL. */
  readonly severity: string
  /** memory, network, authentication, dependency, storage, timeout, database, configuration, security or other. */
  readonly category: string
  /** What the line names. */
  readonly mentions: readonly Mention[]
  /** The redacted text. */
  readonly body: string
  /** Exception class, when it holds a stack trace. */
  readonly exception?: string | null
  /** Known fault pattern the line matches. */
  readonly fault_pattern?: string | null
  /** Trace, 32 hex digits. */
  readonly trace_id?: string | null
  /** Span, 16 hex digits. */
  readonly span_id?: string | null
  /** Input lines joined into this event. */
  readonly lines?: number
  /** Partition of the first line in logs.raw. */
  readonly partition: number
  /** Offset of the first line in logs.raw. */
  readonly offset: number
}

/** A log line as received. */
export interface LogLine {
  /** Hash of source, time and body. */
  readonly id: string
  /** Named deployment that fails and heals as one. */
  readonly environment: string
  /** Event time, microseconds since the epoch. */
  readonly time: number
  /** Entity that wrote it, kind:name, when the producer knows. */
  readonly entity?: string | null
  /** The text as received, after redaction at the door. */
  readonly body: string
  /** Severity the producer gave. */
  readonly severity?: string | null
  /** Other fields the producer gave. */
  readonly attributes?: Readonly<Record<string, string>>
  /** Trace the line belongs to, 32 hex digits. */
  readonly trace_id?: string | null
  /** Span the line belongs to, 16 hex digits. */
  readonly span_id?: string | null
  /** When it arrived, microseconds since the epoch. */
  readonly observed_time: number
  /** Where it came from: file, host or client. */
  readonly source: string
}

/** What a person did. */
export interface ManualFix {
  /** Hash of command, incident and time. */
  readonly id: string
  /** Named deployment that fails and heals as one. */
  readonly environment: string
  /** Event time, microseconds since the epoch. */
  readonly time: number
  /** Incident id. */
  readonly incident?: string | null
  /** Command as typed, redacted. */
  readonly command: string
  /** Action it stands for. */
  readonly action?: string | null
  /** Entity acted on. */
  readonly target?: string | null
  /** Did it help. */
  readonly success: boolean
  /** Who. */
  readonly who: string
  /** Anything else. */
  readonly note?: string
}

/** One number for one entity and metric at one time. */
export interface Observation {
  /** Hash of entity, metric, dimensions and time. */
  readonly id: string
  /** Named deployment that fails and heals as one. */
  readonly environment: string
  /** Event time, microseconds since the epoch. */
  readonly time: number
  /** Entity measured, kind:name. */
  readonly entity: string
  /** Name of the metric. */
  readonly metric_name: string
  /** gauge, counter (cumulative) or delta. */
  readonly metric_type: string
  /** Unit of the value (UCUM). */
  readonly unit?: string
  /** The number. */
  readonly value: number
  /** Labels that tell series of one metric apart. */
  readonly dimensions?: Readonly<Record<string, string>>
  /** True for what was read back from a store: it teaches what is usual of a series that has not been seen yet, and is not judged. */
  readonly history?: boolean
}

/** An input that is not distributed as before. */
export interface DriftedFeature {
  /** Name of the input. */
  readonly feature: string
  /** Largest distance of the distribution functions, 0 to 1. */
  readonly distance: number
  /** Chance of so much without a change. */
  readonly p: number
  /** Population stability index; above .25 it is another population. */
  readonly stability: number
}

/** How a model does. */
export interface ModelHealth {
  /** Hash of model and time. */
  readonly id: string
  /** Environment it was watched in. */
  readonly environment: string
  /** Event time, microseconds since the epoch. */
  readonly time: number
  /** Model: remediation-policy, root-cause, detector NAME, or the kind of question and who answered. */
  readonly model: string
  /** Version that answered last. */
  readonly version: string
  /** learning, well, drifted, doubtful or degraded. */
  readonly state: string
  /** What it was given so far. */
  readonly samples: number
  /** Answers of it whose outcome is known. */
  readonly outcomes: number
  /** Share of right answers in the last window of outcomes, 0 to 1. */
  readonly accuracy?: number | null
  /** Mean over the first half of the windows remembered. */
  readonly accuracy_before?: number | null
  /** Mean over the last half. */
  readonly accuracy_lately?: number | null
  /** Mean gap between confidence and share of right answers, 0 to 1. */
  readonly calibration_error?: number | null
  /** Accuracy that its confidence lets expect, without outcomes. */
  readonly estimated_accuracy?: number | null
  /** Inputs that stand after the false-discovery correction, the surest first. */
  readonly drifted?: readonly DriftedFeature[]
  /** Why this state, in one sentence. */
  readonly reason: string
}

/** A version of a model. */
export interface ModelVersion {
  /** Model name. */
  readonly id: string
  /** Named deployment that fails and heals as one. */
  readonly environment: string
  /** Event time, microseconds since the epoch. */
  readonly time: number
  /** Version. */
  readonly version: string
  /** learning, candidate, active, held or retired. */
  readonly state: string
  /** Weights, when small enough to travel. */
  readonly weights?: Uint8Array | null
  /** Where the weights are otherwise. */
  readonly location?: string | null
  /** How it measured. */
  readonly metrics?: Readonly<Record<string, number>>
  /** What it was made from. */
  readonly lineage?: Readonly<Record<string, string>>
}

/** What a model answered to somebody who asked. */
export interface Prediction {
  /** Hash of who asked, when, and the answer's number. */
  readonly id: string
  /** Environment the question was about. */
  readonly environment: string
  /** When it was answered, microseconds since the epoch. */
  readonly time: number
  /** Question: anomaly, failure, policy, advice. */
  readonly kind: string
  /** Who answered: isolation-forest, statistics, random-forest, heuristic, guard, rules. */
  readonly model: string
  /** Its version. */
  readonly model_version: string
  /** Whether it found what was asked for; of policies: allowed. */
  readonly detected: boolean
  /** Severity of an anomaly, type of a failure, action of a policy question, first category of advice; none where nothing was found. */
  readonly label: string
  /** low, medium, high or critical. */
  readonly severity: string
  /** Score behind it, 0 to 1. */
  readonly score: number
  /** How sure the model is, 0 to 1. */
  readonly confidence: number
  /** Whom it is about: services, series. */
  readonly entities: readonly string[]
  /** Recommended actions. */
  readonly actions: readonly string[]
  /** Why, in words. */
  readonly reason: string
  /** Who asked. */
  readonly who: string
  /** Microseconds the answer took. */
  readonly duration_us: number
}

/** A person's yes or no. */
export interface Approval {
  /** Hash of decision and person. */
  readonly id: string
  /** Named deployment that fails and heals as one. */
  readonly environment: string
  /** Event time, microseconds since the epoch. */
  readonly time: number
  /** Decision id. */
  readonly decision: string
  /** Yes or no. */
  readonly approved: boolean
  /** Who. */
  readonly who: string
  /** Valid until, microseconds since the epoch. */
  readonly until?: number | null
  /** Why. */
  readonly note?: string
}

/** An action the policy weighed. */
export interface Candidate {
  /** Action name. */
  readonly action: string
  /** Entity it would act on. */
  readonly target: string
  /** Probability with which the policy would choose it. */
  readonly probability: number
  /** Worth the policy gives it; higher is better. */
  readonly value: number
}

/** What helped the last times it looked like this. */
export interface FixSuggestion {
  /** Command, with the entity's name replaced by <entity>. */
  readonly command: string
  /** How often it was tried in situations like this. */
  readonly tried: number
  /** How often it helped. */
  readonly worked: number
  /** Likeness of the most similar of them, 0 to 1. */
  readonly likeness: number
  /** Lower bound of the chance that it helps. */
  readonly chance: number
  /** Chance that it helps here, learned from all its tries; null while there are too few. */
  readonly predicted?: number | null
  /** Ids of the fixes it rests on, most similar first. */
  readonly fixes: readonly string[]
}

/** What was chosen, after the guard, written down. */
export interface Decision {
  /** Hash of incident, attempt and status. */
  readonly id: string
  /** Named deployment that fails and heals as one. */
  readonly environment: string
  /** Event time, microseconds since the epoch. */
  readonly time: number
  /** Incident id. */
  readonly incident: string
  /** Revision of the incident it was made on. */
  readonly incident_revision: number
  /** Counts the decisions of one incident. */
  readonly attempt: number
  /** Suspected entity. */
  readonly cause: string
  /** Action name. */
  readonly action: string
  /** Entity to act on. */
  readonly target: string
  /** Parameters of the action. */
  readonly parameters?: Readonly<Record<string, string>>
  /** refuse, observe, shadow, suggest, approve, canary or act. */
  readonly mode: string
  /** decided, approved, rejected or expired. */
  readonly status: string
  /** Id that all records of one decision share; executors key on it. */
  readonly decision: string
  /** What was weighed. */
  readonly candidates: readonly Candidate[]
  /** Probability with which this action was chosen. */
  readonly propensity: number
  /** The situation as the policy saw it. */
  readonly situation: readonly number[]
  /** What the guard was handed, as JSON. */
  readonly facts: string
  /** What it rests on. */
  readonly evidence: readonly Evidence[]
  /** The guard's reasons. */
  readonly reasons: readonly string[]
  /** Why this action, in one or two sentences. */
  readonly explanation: string
  /** Policy name. */
  readonly policy: string
  /** Policy version. */
  readonly policy_version: string
  /** Seed of the random numbers used. */
  readonly seed: number
  /** What people, or earlier decisions, did in situations like this, most promising first. */
  readonly suggestions?: readonly FixSuggestion[]
}

/** What followed a decision. */
export interface Outcome {
  /** Hash of decision and status. */
  readonly id: string
  /** Named deployment that fails and heals as one. */
  readonly environment: string
  /** Event time, microseconds since the epoch. */
  readonly time: number
  /** Decision id. */
  readonly decision: string
  /** Incident id. */
  readonly incident: string
  /** Action name. */
  readonly action: string
  /** Entity acted on. */
  readonly target: string
  /** Final: done, failed, undone, unfinished. On the way: started, carried_out, unverified (done, but its status does not show that it worked), undoing, taken_back. */
  readonly status: string
  /** What the executor was told by the system it acted on. */
  readonly receipt?: string
  /** Health of the target before, 0 to 1. */
  readonly health_before?: number | null
  /** Health after, 0 to 1. */
  readonly health_after?: number | null
  /** Seconds from the first sign to health. */
  readonly seconds_to_recover?: number | null
  /** True when health returned, not merely the command succeeded. */
  readonly verified?: boolean
  /** The outcome as one number. */
  readonly reward?: number | null
  /** What went wrong. */
  readonly error?: string
  /** How to take it back: an action as JSON; empty where it cannot be. */
  readonly undo?: string
}

/** An executor says that nothing of an environment is under way since a stop. */
export interface Standstill {
  /** Environment and version of the stop. */
  readonly id: string
  /** Named deployment that fails and heals as one. */
  readonly environment: string
  /** Event time, microseconds since the epoch. */
  readonly time: number
  /** Version of the controls that stopped it. */
  readonly version: number
}

/** A template was made, widened or merged. */
export interface TemplateChange {
  /** Template id: hash of its text. */
  readonly id: string
  /** Named deployment that fails and heals as one. */
  readonly environment: string
  /** Event time, microseconds since the epoch. */
  readonly time: number
  /** Template text. */
  readonly text: string
  /** new, widened or merged. */
  readonly state: string
  /** Template ids it replaces. */
  readonly from?: readonly string[]
  /** Template id it was merged into. */
  readonly into?: string | null
  /** Lines that made it, redacted. */
  readonly samples: readonly string[]
}

/** A dependency between two entities, with its rates when known. */
export interface TopologyEdge {
  /** Hash of the edge and time. */
  readonly id: string
  /** Named deployment that fails and heals as one. */
  readonly environment: string
  /** Event time, microseconds since the epoch. */
  readonly time: number
  /** Entity that depends, kind:name. */
  readonly from: string
  /** Entity depended on, kind:name. */
  readonly to: string
  /** calls, runs_on, reads or writes; named_by from an address to who is reached there. */
  readonly kind: string
  /** spans, manifest, compose, cluster, user, discover or inferred. */
  readonly source: string
  /** True when concluded rather than seen. */
  readonly inferred?: boolean
  /** Traffic on the edge. */
  readonly requests_per_second?: number | null
  /** Share of calls that failed, 0 to 1. */
  readonly error_share?: number | null
  /** Median duration, milliseconds. */
  readonly p50_ms?: number | null
  /** 99th percentile of the duration, milliseconds. */
  readonly p99_ms?: number | null
}

/** Partial counts of one call edge in one window, from one partition of spans. */
export interface EdgePart {
  /** Hash of edge, window and partition. */
  readonly id: string
  /** Named deployment that fails and heals as one. */
  readonly environment: string
  /** Event time, microseconds since the epoch. */
  readonly time: number
  /** Length of the window, microseconds; time is its start. */
  readonly window_us: number
  /** Calling entity; empty for calls from outside. */
  readonly caller: string
  /** Called entity. */
  readonly callee: string
  /** calls, reads or writes. */
  readonly kind: string
  /** Calls that ended in the window. */
  readonly count: number
  /** Calls that failed. */
  readonly errors: number
  /** Sum of durations, microseconds. */
  readonly duration_sum_us: number
  /** Sum of durations minus those of child calls, microseconds. */
  readonly self_time_sum_us: number
  /** Sum of client duration minus server duration, microseconds; network and queueing. */
  readonly gap_sum_us?: number
  /** Counts per duration bucket; bucket i covers 2^(i/2) to 2^((i+1)/2) microseconds. */
  readonly buckets: readonly number[]
}

/** A log line written within a span: which statement it is, for the trace it belongs to. */
export interface TracedLine {
  /** Hash of the line's place in logs.raw. */
  readonly id: string
  /** Named deployment that fails and heals as one. */
  readonly environment: string
  /** Event time, microseconds since the epoch. */
  readonly time: number
  /** Trace, 32 hex digits. */
  readonly trace_id: string
  /** Span, 16 hex digits. */
  readonly span_id: string
  /** Entity that wrote it, kind:name. */
  readonly entity: string
  /** Where in the code it was written, or its first words without what varies; the same for as long as the code is. */
  readonly statement: string
  /** DEBUG, INFO, WARN, ERROR or CRITICAL. */
  readonly severity: string
  /** The redacted text, cut after 400 characters. */
  readonly text: string
  /** Partition of the first line in logs.raw. */
  readonly partition: number
  /** Offset of the first line in logs.raw. */
  readonly offset: number
}

/** One operation of one entity in a trace. */
export interface Span {
  /** Hash of trace and span id. */
  readonly id: string
  /** Named deployment that fails and heals as one. */
  readonly environment: string
  /** Event time, microseconds since the epoch. */
  readonly time: number
  /** Trace, 32 hex digits. */
  readonly trace_id: string
  /** Span, 16 hex digits. */
  readonly span_id: string
  /** Parent span, 16 hex digits. */
  readonly parent_id?: string | null
  /** Entity that did the work, kind:name. */
  readonly entity: string
  /** Name of the operation. */
  readonly operation: string
  /** server, client, producer, consumer or internal. */
  readonly kind: string
  /** Duration, microseconds; time is the start. */
  readonly duration_us: number
  /** ok, error or unset. */
  readonly status: string
  /** Remote name the span itself gives (server.address, peer.service, db.system). */
  readonly peer?: string | null
  /** Error text. */
  readonly status_message?: string | null
  /** Other attributes. */
  readonly attributes?: Readonly<Record<string, string>>
}

/** How many visits of requests to an entity ended, and how many of them stopped short of what such visits always do, from one partition of spans. */
export interface VisitPart {
  /** Hash of entity, time and partition. */
  readonly id: string
  /** Named deployment that fails and heals as one. */
  readonly environment: string
  /** Event time, microseconds since the epoch. */
  readonly time: number
  /** Visited entity, kind:name. */
  readonly entity: string
  /** Visits that were held against what is usual. */
  readonly visits: number
  /** Those that stopped short, with no visit below them that did. */
  readonly stopped: number
  /** What most of them lack: the statement or step; with "! " before it, the error that they wrote instead. */
  readonly step?: string | null
  /** Spans and last lines of some that stopped. */
  readonly evidence?: readonly Evidence[]
}
