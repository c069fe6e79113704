import { Command } from 'commander'
import { driftLearnCommand } from './drift-learn.ts'

export const driftCommand = (): Command => new Command('drift').addCommand(driftLearnCommand())
