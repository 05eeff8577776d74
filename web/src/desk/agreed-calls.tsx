import { useQuery } from '@tanstack/react-query'
import { body, client } from '../api/client'
import { keys } from '../api/keys'
import { useLanguage } from '../language/language'
import { Notes } from '../callbacks/notes'
import { Num } from '../ui/number'
import { useSubject } from '../subjects/use-subject'
import style from './agreed-calls.module.css'

/** The calls that the person has promised for a time. The system makes them; the page only does not let them be forgotten. */
export function AgreedCalls() {
  const { text, format } = useLanguage()
  const subject = useSubject()
  // A call is promised or made: what I have in hand changes, too.
  const { data = [] } = useQuery({ queryKey: [...keys.me, 'agreed'], queryFn: () => body(client.GET('/api/v1/callbacks/agreed')) })
  if (data.length === 0) return null
  return (
    <section className={style.agreed} aria-labelledby="agreed-title" data-testid="agreed-calls">
      <h3 id="agreed-title">{text.agreedCalls.title}</h3>
      <ul>
        {data.map((call) => (
          <li key={call.callback_id}>
            <strong>{format.moment(call.again_at)}</strong>
            <span>{subject(call.subject)}</span>
            <Num>{format.ticket(call.ticket)}</Num>
            <Notes notes={call.notes} />
          </li>
        ))}
      </ul>
      <p>{text.agreedCalls.help}</p>
    </section>
  )
}
