import { runService } from '@aegis/runtime'
import { logParser } from './service.ts'

await runService(logParser)
