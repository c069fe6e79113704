export * from './api-keys.ts'
export * from './keys-file.ts'
export * from './seal.ts'
