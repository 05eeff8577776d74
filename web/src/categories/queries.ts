/** The categories of requests: what is asked of the API to change them. */
import type { components } from '../../shared/api/schema.gen'
import type { Category } from '../api/city'
import { body, client } from '../api/client'

type Schemas = components['schemas']
export type CategoryIn = Schemas['CategoryIn']
export type Unit = Category['solve']['unit']

export const addCategory = (category: CategoryIn) => body(client.POST('/api/v1/categories', { body: category }))

export const changeCategory = (category_id: number, values: Schemas['CategoryValues']) =>
  body(client.PUT('/api/v1/categories/{category_id}', { params: { path: { category_id } }, body: values }))
