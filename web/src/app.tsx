import { lazy, Suspense } from 'react'
import { Redirect, Route, Switch } from 'wouter'
import type { Me } from './api/calls'
import { useMe } from './api/queries'
import { DeskPage } from './pages/desk/desk-page'
import { SignInPage } from './pages/sign-in'
import { seesRounds } from './ui/header'
import { ConnectionLost } from './ui/connection-lost'
import { Waiting } from './ui/waiting'

const RoundsPage = lazy(() => import('./pages/rounds/rounds-page'))
const RoundPage = lazy(() => import('./pages/rounds/round-page'))
const OfficialPage = lazy(() => import('./pages/official/official-page'))
const BesidePage = lazy(() => import('./pages/beside/beside-page'))
const PhonePage = lazy(() => import('./pages/phone/phone-page'))

export function App() {
  return (
    <>
      <ConnectionLost />
      <Suspense fallback={<Waiting />}>
        <Switch>
          <Route path="/phone" component={PhonePage} />
          <Route component={Office} />
        </Switch>
      </Suspense>
    </>
  )
}

/** The pages behind the sign-in. */
function Office() {
  const me = useMe()
  if (me.isPending) return <Waiting />
  if (!me.data) {
    return (
      <Switch>
        <Route path="/sign-in" component={SignInPage} />
        <Redirect to="/sign-in" replace />
      </Switch>
    )
  }
  const { data } = me
  return (
    <Switch>
      <Route path="/desk"><DeskPage me={data} /></Route>
      {data.desk && <Route path="/official"><OfficialPage me={data} desk={data.desk} /></Route>}
      {data.desk && <Route path="/beside"><BesidePage me={data} desk={data.desk} /></Route>}
      {seesRounds(data) && <Route path="/rounds"><RoundsPage me={data} /></Route>}
      {seesRounds(data) && (
        <Route path="/rounds/:id">{({ id }) => <RoundPage key={id} me={data} id={Number(id)} />}</Route>
      )}
      <Redirect to={home(data)} replace />
    </Switch>
  )
}

/** Where a person's work is. */
function home(me: Me): string {
  if (!me.desk) return seesRounds(me) ? '/rounds' : '/desk'
  return me.role === 'official' ? '/official' : '/desk'
}
