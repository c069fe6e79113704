import { runService } from '@aegis/runtime'
import { rootCauseAnalyzer } from './service.ts'

await runService(rootCauseAnalyzer)
