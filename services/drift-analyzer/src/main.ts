import { runService } from '@aegis/runtime'
import { driftAnalyzer } from './service.ts'

await runService(driftAnalyzer)
