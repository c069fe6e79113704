export * from './names.ts'
export * from './states.ts'
export * from './versions.ts'
