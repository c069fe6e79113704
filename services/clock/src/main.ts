import { runService } from '@aegis/runtime'
import { clock } from './service.ts'

await runService(clock)
