export * from './api-keys.ts'
export * from './environments-file.ts'
export * from './keys-file.ts'
export * from './seal.ts'
