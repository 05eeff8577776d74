import { Paper } from '@mantine/core'
import { useHistory } from '../../api/planning'
import { useLanguage } from '../../language/language'
import { Complaint } from '../../ui/complaint'
import style from './rounds.module.css'

/** Who did what to a round, and why. */
export function History({ id }: { id: number }) {
  const { text, format } = useLanguage()
  const words = text.roundHistory
  const { data, error } = useHistory(id)
  return (
    <Paper withBorder component="section" className={style.card} aria-labelledby="history-title" data-testid="history">
      <h2 id="history-title">{words.title}</h2>
      <Complaint error={error} />
      <ol className={style.plain}>
        {data?.map(({ at, who, action, reason }) => (
          <li key={`${at} ${action}`} className={style.desk}>
            <span>
              <strong>{words.action[action] ?? action}</strong> {reason}
            </span>
            <span className={style.counts}>{format.moment(at)}{text.comma}<bdi>{who === 'timetable' ? words.timetable : who}</bdi></span>
          </li>
        ))}
      </ol>
    </Paper>
  )
}
