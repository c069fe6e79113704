import { runService } from '@aegis/runtime'
import { buildAnalyzer } from './service.ts'

await runService(buildAnalyzer)
