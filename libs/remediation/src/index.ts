export * from './encode-situation.ts'
export * from './guard.ts'
export * from './rules-policy.ts'
