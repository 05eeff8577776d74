import type { components } from '../../shared/api/schema.gen'
import { body, client } from '../api/client'

type Schemas = components['schemas']

export const changeSubject = (subject_id: number, change: Schemas['SubjectChange']) =>
  body(client.PATCH('/api/v1/subjects/{subject_id}', { params: { path: { subject_id } }, body: change }))
