import { language, text } from './language/language'
import { Call } from './ui/call'
import { Head } from './ui/head'
import { late } from './ui/late'
import { Link } from './ui/link'
import { useNumber } from './ui/use-network'

const Outbox = late(() => import('./outbox/outbox-list').then((part) => part.OutboxList))

/** Where the app begins: report, and what of it is still on this phone. */
export function HomePage() {
  const number = useNumber()
  return (
    <>
      <Head name={text.home.title} />
      <p class="lead">{text.home.lead}</p>
      <p><Link to="report" class="button large">{text.home.report}</Link></p>
      <Call why={text.home.danger} danger />
      <Outbox.Part />
      {number ? null : <p>{text.signIn.out} <Link to="sign-in">{text.signIn.title}</Link></p>}
      <p><a href={`/public/how${language === 'en' ? '?lang=en' : ''}`}>{text.home.guide}</a></p>
    </>
  )
}
