/** Attributes that say which instance of a service wrote a line, and into which of its files or streams. */
const WRITER = [
  'service.instance.id',
  'k8s.pod.uid',
  'k8s.namespace.name',
  'k8s.pod.name',
  'k8s.container.name',
  'k8s.container.restart_count',
  'container.id',
  'container.name',
  'host.name',
  'process.pid',
  'log.file.path',
  'log.file.name',
  'log.iostream',
]

/** One name for whoever wrote a line, so that lines of several instances are not joined to each other; empty where the attributes do not say. */
export const writerOf = (attributes: Readonly<Record<string, string>> | undefined): string => {
  let writer = ''
  if (attributes) for (const name of WRITER) if (attributes[name]) writer += `\0${attributes[name]}`
  return writer
}
