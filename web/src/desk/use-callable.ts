import type { components } from '../../shared/api/schema.gen'
import { useOfficials } from '../api/city'
import { useDepartments } from '../requests/queries'
import type { Findable } from './guest-found'

type Whom = Pick<components['schemas']['Guest'], 'department_id' | 'official_id'>

/** Who may have a telephone that a desk calls in: the departments, then the officials. */
export function useCallable() {
  const departments = useDepartments()
  const officials = useOfficials()
  const data: (Findable & Whom)[] | undefined = departments.data && officials.data && [
    ...departments.data.map((one) => ({ ...one, department_id: one.id, official_id: null })),
    ...officials.data.map((one) => ({ ...one, name_fa: one.office_fa, name_en: one.office_en, department_id: null, official_id: one.id })),
  ]
  return { data, error: departments.error ?? officials.error }
}
