import type { components } from '../../shared/api/schema.gen'
import { body, client } from '../api/client'

type Schemas = components['schemas']

export const addDepartment = (department: Schemas['DepartmentIn']) =>
  body(client.POST('/api/v1/departments', { body: department }))

export const changeDepartment = (department_id: number, change: Schemas['DepartmentChange']) =>
  body(client.PATCH('/api/v1/departments/{department_id}', { params: { path: { department_id } }, body: change }))
