import { Checkbox, NativeSelect } from '@mantine/core'
import { DISTRICTS } from '../../shared/language/city'
import { useCategories } from '../api/city'
import { useLanguage } from '../language/language'
import { useCategory } from './use-category'
import type { InboxFilter } from './inbox-filter'
import { useDepartments } from './queries'
import style from './requests.module.css'

/** Subject, district, department, mine. */
export function Filters({ inbox: { common, change } }: { inbox: InboxFilter }) {
  const language = useLanguage()
  const { data: categories = [] } = useCategories()
  const category = useCategory()
  const { text, format } = language
  const { data: departments = [] } = useDepartments()
  const words = text.requests
  const any = { value: '', label: words.any }
  return (
    <div className={style.filters} role="group" aria-label={words.filters}>
      <NativeSelect
        label={words.category} value={common.category ?? ''} data-testid="filter-category"
        data={[any, ...categories.map(({ id }) => ({ value: String(id), label: category(id) }))]}
        onChange={(event) => change({ category: event.currentTarget.value })}
      />
      <NativeSelect
        label={words.district} value={common.district ?? ''} data-testid="filter-district"
        data={[any, ...DISTRICTS.map((one) => ({ value: String(one), label: words.inDistrict(format.number(one)) }))]}
        onChange={(event) => change({ district: event.currentTarget.value })}
      />
      <NativeSelect
        label={words.department} value={common.department_id ?? ''} data-testid="filter-department"
        data={[any, ...departments.map((one) => ({ value: String(one.id), label: language.name(one) }))]}
        onChange={(event) => change({ department: event.currentTarget.value })}
      />
      <Checkbox
        label={words.mine} checked={common.mine ?? false} data-testid="filter-mine" className={style.mine}
        onChange={(event) => change({ mine: event.currentTarget.checked ? '1' : undefined })}
      />
    </div>
  )
}
