import { runService } from '@aegis/runtime'
import { anomalyDetector } from './service.ts'

await runService(anomalyDetector)
