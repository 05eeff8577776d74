import { Button, TextInput } from '@mantine/core'
import { useState } from 'react'
import { Link, useSearch } from 'wouter'
import { useCategories } from '../api/city'
import { Problem } from '../api/problem'
import { useLanguage } from '../language/language'
import { ConfirmDialog } from '../ui/confirm-dialog'
import { ErrorNotice } from '../ui/error-notice'
import { dropFilter, keepFilter, type Kept, renameFilter, useKept } from './kept'
import { useDepartments } from './queries'
import style from './requests.module.css'
import { understood } from './understood'

/** The filters that this person keeps, one press each; what the page shows now may be kept, too. */
export function KeptFilters() {
  const { text } = useLanguage()
  const words = text.requests.kept
  const known = { categories: useCategories().data, departments: useDepartments().data }
  const now = understood(useSearch(), known)
  const { data = [], error } = useKept()
  const [asked, setAsked] = useState<'name' | 'drop' | null>(null)
  const all = data.map((each) => ({ ...each, query: understood(each.query, known) }))
  const shown = all.find(({ query }) => query === now)
  if (!all.length && !now && !error) return null
  return (
    <div className={style.views} role="group" aria-label={words.mine} data-testid="kept-filters">
      {all.map(({ id, name, query }) => (
        <Link
          key={id} href={query ? `/requests?${query}` : '/requests'} className={style.view} aria-current={id === shown?.id || undefined}
          data-testid="kept-filter"
        >
          <bdi>{name}</bdi>
        </Link>
      ))}
      {(shown ?? now) && (
        <Button size="compact-sm" variant="subtle" onClick={() => setAsked('name')} data-testid={shown ? 'rename-filter' : 'keep-filter'}>
          {shown ? words.rename : words.keep}
        </Button>
      )}
      {shown && <Button size="compact-sm" variant="subtle" color="brick" onClick={() => setAsked('drop')} data-testid="drop-filter">{words.drop}</Button>}
      <ErrorNotice error={error} />
      {asked === 'name' && <Naming kept={shown} query={now} onClose={() => setAsked(null)} />}
      {asked === 'drop' && shown && (
        <ConfirmDialog title={words.drop} help={shown.name} action={words.drop} color="brick" act={() => dropFilter(shown.id)} onClose={() => setAsked(null)} />
      )}
    </div>
  )
}

/** A name for a new filter, or another for one that is kept; a new one may take the place of its namesake. */
function Naming({ kept, query, onClose }: { kept: Kept | undefined; query: string; onClose: () => void }) {
  const { text } = useLanguage()
  const words = text.requests.kept
  const [name, setName] = useState(kept?.name ?? '')
  const [taken, setTaken] = useState<string | null>(null)
  const replace = !kept && name === taken
  const act = async () => {
    try {
      await (kept ? renameFilter(kept.id, name) : keepFilter({ name, query, replace }))
    } catch (error) {
      if (error instanceof Problem && error.code === 'filter-exists') setTaken(name)
      throw error
    }
  }
  const action = kept ? words.rename : replace ? words.replace : words.keep
  return (
    <ConfirmDialog title={kept ? words.rename : words.keep} action={action} lacking={{ name: !name.trim() && text.fields.missing }} act={act} onClose={onClose}>
      {(at) => (
        <TextInput
          {...at('name')} label={words.name} value={name} maxLength={60} data-autofocus data-testid="filter-name"
          onChange={(event) => setName(event.currentTarget.value)}
        />
      )}
    </ConfirmDialog>
  )
}
