import { Button } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Link } from 'wouter'
import { keys } from '../api/keys'
import { useLanguage } from '../language/language'
import { dueDay } from '../requests/names'
import { ErrorNotice } from '../ui/error-notice'
import { Notice } from '../ui/notice'
import { Num } from '../ui/number'
import { useCategory } from '../requests/use-category'
import { takeEscalation, useEscalations } from './queries'
import style from './urgent.module.css'

const SHOWN = 3

/** What is before the supervisors stands quietly on each of their pages, until somebody sees to it. */
export default function Escalated() {
  const language = useLanguage()
  const { text, format } = language
  const words = text.escalated
  const category = useCategory()
  const queries = useQueryClient()
  const { data } = useEscalations(true)
  const take = useMutation({
    mutationFn: takeEscalation,
    onSuccess: (left) => queries.setQueryData(keys.escalations, left),
    onError: () => queries.invalidateQueries({ queryKey: keys.escalations }),
  })
  if (!data?.open) return null
  return (
    <section className={style.quiet} role="status" aria-label={words.title} data-testid="escalations">
      <Notice tone="warning">
        <b>{words.count(format.number(data.open))}</b>
        {data.first.slice(0, SHOWN).map(({ id, tracking, department, due_at, ...one }) => (
          <div key={id} className={style.line} data-testid="escalation" data-id={id}>
            <span>
              <Link href={`/requests/${id}`}>{category(one.category)} · <Num>{format.ticket(tracking)}</Num></Link>
              {department && <> · {language.name(department)}</>}
              {due_at && <> · {text.requests.overdue(dueDay(language, due_at))}</>}
            </span>
            <Button size="compact-md" variant="default" disabled={take.isPending} onClick={() => take.mutate(id)} data-testid="escalation-take">
              {words.take}
            </Button>
          </div>
        ))}
        {data.open > 1 && <Link href="/requests?view=escalated">{words.all}</Link>}
        <ErrorNotice error={take.error} />
      </Notice>
    </section>
  )
}
