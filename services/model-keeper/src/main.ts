import { runService } from '@aegis/runtime'
import { modelKeeper } from './service.ts'

await runService(modelKeeper)
