import { Button } from '@mantine/core'
import { useState } from 'react'
import { type Category, useCategories } from '../api/city'
import { mayAdminister, mayMove } from '../api/permissions'
import type { Me } from '../api/types'
import { type Language, useLanguage } from '../language/language'
import { districtName } from '../requests/names'
import { type Department, useDepartments } from '../requests/queries'
import { ErrorNotice } from '../ui/error-notice'
import { Header } from '../head/header'
import { Loading } from '../ui/loading'
import { Tag } from '../ui/tag'
import { useTitle } from '../ui/use-title'
import { useUndo } from '../ui/use-undo'
import { CategoryForm } from './category-form'
import { CategoryIcon } from './category-icon'
import { ReadyRepliesForm } from './ready-replies-form'
import cards from '../ui/cards.module.css'
import rows from '../ui/rows.module.css'
import style from './categories.module.css'

/** The categories of requests: how soon each is answered and solved, by whom, and where callers hear it. */
export default function CategoriesPage({ me }: { me: Me }) {
  const { text } = useLanguage()
  const words = text.categories
  useTitle(words.title)
  const { data, error } = useCategories()
  const [asked, setAsked] = useState<Category | 'new' | null>(null)
  const { offer, undo } = useUndo()
  const may = mayAdminister(me.role)
  return (
    <div>
      {undo}
      <Header me={me} page="categories">
        {may && <Button onClick={() => setAsked('new')} data-testid="add-category">{words.add}</Button>}
      </Header>
      <main className={cards.list}>
        <p className={cards.more}>{words.help}</p>
        <ErrorNotice error={error} />
        {!data && !error && <Loading />}
        {data && <ul className={rows.rows}>{data.map((one) => <Item key={one.id} category={one} onChange={may ? () => setAsked(one) : null} />)}</ul>}
        {data && <ReadyRepliesForm categories={data} may={mayMove(me.role)} offer={offer} />}
      </main>
      {asked && <CategoryForm category={asked === 'new' ? null : asked} onClose={() => setAsked(null)} />}
    </div>
  )
}

function Item({ category, onChange }: { category: Category; onChange: (() => void) | null }) {
  const language = useLanguage()
  const { code, text, format } = language
  const words = text.categories
  const { data: departments = [] } = useDepartments()
  const name = language.name(category)
  const time = ({ amount, unit }: Category['solve']) => words.time[unit](format.number(amount))
  return (
    <li className={style.item} data-testid="category" data-id={category.id} data-active={category.active}>
      <span className={style.name}>
        <CategoryIcon name={category.icon} />
        {name}
        {category.urgent && <Tag tone="warning">{words.urgent}</Tag>}
        {!category.active && <Tag tone="warning">{words.inactive}</Tag>}
      </span>
      <span className={style.soft}>
        {[words.answeredIn(time(category.answer)), words.solvedIn(time(category.solve)), words.needs[category.evidence]].join(text.comma)}
      </span>
      <span className={style.soft}>{responsible(category, departments, language)}</span>
      <span className={style.soft}>
        {category.key ? `${words.key(format.number(category.key))}${text.comma}${text.subjects.heard} ${category.spoken[code] ?? ''}` : words.noKey}
      </span>
      {onChange && (
        <Button size="compact-sm" variant="default" onClick={onChange} aria-label={words.changeOne(name)} data-testid="change-category">{words.change}</Button>
      )}
    </li>
  )
}

function responsible(category: Category, departments: Department[], language: Language): string {
  const { text } = language
  const name = (id: number) => {
    const found = departments.find((one) => one.id === id)
    return found ? language.name(found) : ''
  }
  const all = category.departments.map(({ district, department_id }) =>
    district === 0 ? name(department_id) : `${districtName(language, district)}: ${name(department_id)}`)
  return all.join(text.comma) || text.categories.nobodyMeant
}
