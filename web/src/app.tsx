import { lazy, Suspense } from 'react'
import { Redirect, Route, Switch } from 'wouter'
import { useMe } from './api/queries'
import { DeskPage } from './pages/desk/desk-page'
import { SignInPage } from './pages/sign-in'
import { ConnectionLost } from './ui/connection-lost'
import { Waiting } from './ui/waiting'

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
      <Redirect to="/desk" replace />
    </Switch>
  )
}
