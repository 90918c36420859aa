import { loadConfigOrExit } from '@inference/common/config.ts'
import { createLog } from '@inference/common/log.ts'
import { shutdownOnSignal } from '@inference/common/shutdown.ts'
import { programs } from './config.ts'
import { startGateway } from './gateway.ts'

const config = loadConfigOrExit(programs.main)
const log = createLog('gateway', config.LOG_LEVEL)
const gateway = await startGateway(config, log)
shutdownOnSignal(log, config.DRAIN_SECONDS + 15, gateway.shutdown)
