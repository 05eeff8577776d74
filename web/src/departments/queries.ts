import { body, client } from '../api/client'
import type { components } from '../api/schema.gen'

type Schemas = components['schemas']

export const addDepartment = (name_fa: string, name_en: string) =>
  body(client.POST('/api/v1/departments', { body: { name_fa, name_en } }))

export const changeDepartment = (department_id: number, change: Schemas['DepartmentChange']) =>
  body(client.PATCH('/api/v1/departments/{department_id}', { params: { path: { department_id } }, body: change }))
