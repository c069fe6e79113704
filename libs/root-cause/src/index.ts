export * from './group-incidents.ts'
export * from './metric-class.ts'
export * from './plain-topology.ts'
export * from './rank-causes.ts'
