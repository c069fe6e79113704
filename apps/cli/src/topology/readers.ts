import { AegisError } from '@aegis/domain'
import { get } from '@aegis/domain/document'
import { type DescribedSystem, systemOfCompose, systemOfKubernetes, systemOfList } from '@aegis/root-cause'
import { readComposeProject } from './compose-project.ts'
import { readManifests } from './manifests.ts'
import { readText } from './read-yaml.ts'

/** Readers of what people wrote down, by the name of the format. */
export const READERS: Readonly<Record<string, (where: string) => DescribedSystem>> = {
  k8s: where => {
    const { documents, notes } = readManifests(where)
    if (documents.some(d => get(d, 'services') !== undefined) && documents.every(d => get(d, 'kind') === undefined))
      throw new AegisError('INPUT_INVALID', `${where} is a compose file: read it with the format compose`)
    const system = systemOfKubernetes(documents)
    return { ...system, notes: [...notes, ...system.notes] }
  },
  compose: where => {
    const { document, notes, ...options } = readComposeProject(where)
    const system = systemOfCompose(document, options)
    return { ...system, notes: [...notes, ...system.notes] }
  },
  edges: where => {
    try {
      return systemOfList(readText(where))
    } catch (error) {
      throw error instanceof AegisError && /^line/.test(error.message)
        ? new AegisError('INPUT_INVALID', `${where}, ${error.message}`)
        : error
    }
  },
}
