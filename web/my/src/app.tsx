import { digits } from './language/format'
import { language, otherLanguage, text } from './language/language'
import { HomePage } from './home-page'
import { Head } from './ui/head'
import { Icon } from './ui/icon'
import { home, list, user, users } from './ui/icons'
import { late } from './ui/late'
import { Link } from './ui/link'
import { usePlace } from './ui/router'
import { useNumber, useOnline } from './ui/use-network'

const SignIn = late(() => import('./sign-in/sign-in-page').then((part) => part.SignInPage))
const Report = late(() => import('./report/report-page').then((part) => part.ReportPage))
const Requests = late(() => import('./follow/requests-page').then((part) => part.RequestsPage))
const Request = late(() => import('./follow/request-page').then((part) => part.RequestPage))
const Rounds = late(() => import('./rounds/rounds-page').then((part) => part.RoundsPage))
const Account = late(() => import('./account/account-page').then((part) => part.AccountPage))

/** All parts, for whoever has no network when they are needed. */
export const fetchAhead = (): void => [Report, SignIn, Requests, Request, Rounds, Account].forEach(({ ahead }) => ahead())

/** The page of an address. What belongs to an account begins anew with each number. */
function Page({ place }: { place: string }) {
  const number = useNumber()
  const [page = '', of = ''] = place.split('/')
  switch (page) {
    case '':
    case 'index.html':
      return <HomePage />
    case 'sign-in':
      return <SignIn.Part />
    case 'report':
      return <Report.Part key={of} of={of} />
    case 'requests':
      return of ? <Request.Part key={`${of} ${number}`} tracking={of} /> : <Requests.Part key={number} />
    case 'rounds':
      return <Rounds.Part key={number} />
    case 'account':
      return <Account.Part key={number} />
    default:
      return <Head name={text.missing} />
  }
}

const TABS = [
  { to: '', icon: home, name: () => text.tabs.home },
  { to: 'requests', icon: list, name: () => text.tabs.requests },
  { to: 'rounds', icon: users, name: () => text.tabs.rounds },
  { to: 'account', icon: user, name: () => text.tabs.account },
]

export function App() {
  const place = usePlace()
  const online = useOnline()
  return (
    <>
      <a class="skip" href="#main">{text.skip}</a>
      <header>
        <div class="column">
          <Link to="" class="home"><b>{digits(137)}</b> <span>{text.brand}</span></Link>
          <a class="switch" href={`?lang=${otherLanguage()}`} lang={otherLanguage()} dir={language === 'fa' ? 'ltr' : 'rtl'}>{text.other}</a>
        </div>
      </header>
      <main id="main" class="column">
        {online ? null : <p class="news" role="status">{text.offline}</p>}
        <Page place={place} />
      </main>
      <nav class="tabs" aria-label={text.tabs.label}>
        {TABS.map(({ to, icon, name }) => (
          <Link key={to} to={to} current={place.split('/')[0] === to}><Icon of={icon} /><span>{name()}</span></Link>
        ))}
      </nav>
    </>
  )
}
