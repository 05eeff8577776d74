import { Button, NativeSelect } from '@mantine/core'
import { DISTRICTS } from '../../shared/language/city'
import { useLanguage } from '../language/language'
import { useDepartments } from '../requests/queries'
import type { At } from '../ui/use-fields'
import type { Draft } from './draft'
import style from './categories.module.css'

interface Props {
  value: Draft['departments']
  at: At
  onChange: (value: Draft['departments']) => void
}

/** Which department is meant: one for every district, and others for some. */
export function ResponsibleFields({ value, at, onChange }: Props) {
  const language = useLanguage()
  const { text, format } = language
  const words = text.categories
  const { data: departments = [] } = useDepartments()
  const free = DISTRICTS.find((district) => !value.some((one) => one.district === String(district)))
  const change = (place: number, part: Partial<Draft['departments'][number]>) =>
    onChange(value.map((one, index) => (index === place ? { ...one, ...part } : one)))
  return (
    <fieldset className={style.responsible}>
      <legend>{words.departments}</legend>
      {value.map(({ district, department }, place) => {
        const where = district === '0' ? words.elsewhere : text.requests.inDistrict(format.number(Number(district)))
        return (
          <div key={district} className={style.pair}>
            {district === '0' ? <span className={style.where}>{where}</span> : (
              <NativeSelect
                aria-label={words.district} value={district} data-testid="responsible-district"
                data={DISTRICTS.map((one) => ({
                  value: String(one), label: text.requests.inDistrict(format.number(one)),
                  disabled: String(one) !== district && value.some((other) => other.district === String(one)),
                }))}
                onChange={(event) => change(place, { district: event.currentTarget.value })}
              />
            )}
            <NativeSelect
              {...(place === 0 ? at('departments') : {})} aria-label={words.departmentOf(where)} value={department} data-testid="responsible-department"
              data={[{ value: '', label: words.nobody }, ...departments.map((one) => ({ value: String(one.id), label: language.name(one), disabled: !one.active }))]}
              onChange={(event) => change(place, { department: event.currentTarget.value })}
            />
          </div>
        )
      })}
      {free !== undefined && (
        <Button variant="subtle" size="compact-sm" data-testid="add-district" onClick={() => onChange([...value, { district: String(free), department: '' }])}>
          {words.addDistrict}
        </Button>
      )}
    </fieldset>
  )
}
