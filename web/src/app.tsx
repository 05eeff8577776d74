import { Suspense } from 'react'
import { Redirect, Route, Switch } from 'wouter'
import { useFreshCodes } from './api/account'
import { useMe } from './api/queries'
import { home, pagesOf, Wallboard } from './pages'
import { SignInPage } from './pages/sign-in/sign-in-page'
import { ConnectionLost } from './ui/connection-lost'
import { page } from './ui/part'
import { Waiting } from './ui/waiting'

const CodesPage = page(() => import('./pages/account/codes-page'))
const PhonePage = page(() => import('./pages/phone/phone-page'))

export function App() {
  return (
    <>
      <ConnectionLost />
      <Suspense fallback={<Waiting />}>
        <Switch>
          <Route path="/phone" component={PhonePage} />
          <Route path="/wallboard" component={Wallboard} />
          <Route component={Office} />
        </Switch>
      </Suspense>
    </>
  )
}

/** The pages behind the sign-in. */
function Office() {
  const me = useMe()
  const codes = useFreshCodes()
  if (codes) return <CodesPage codes={codes} />
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
      {pagesOf(data).flatMap(({ name, component: Page, below: Below }) => [
        <Route key={name} path={`/${name}`}><Page me={data} /></Route>,
        Below && (
          <Route key={`${name}/:id`} path={`/${name}/:id`}>
            {({ id }: { id: string }) => <Below key={id} me={data} id={Number(id)} />}
          </Route>
        ),
      ])}
      <Redirect to={home(data)} replace />
    </Switch>
  )
}
