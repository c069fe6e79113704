import { inject } from 'vitest'
import './global-setup.ts'

/** Addresses of the real servers the tests run against. */
export const stackEnv = (): Readonly<Record<string, string>> => inject('stackEnv')
