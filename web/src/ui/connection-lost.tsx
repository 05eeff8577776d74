import { Loader } from '@mantine/core'
import { useConnectionLost } from '../api/connection'
import { useLanguage } from '../language/language'
import style from './connection-lost.module.css'

export function ConnectionLost() {
  const lost = useConnectionLost()
  const { text } = useLanguage()
  return (
    <div role="alert" className={style.place}>
      {lost && (
        <div className={style.banner} data-testid="connection-lost">
          <Loader size="xs" color="white" />
          {text.connectionLost}
        </div>
      )}
    </div>
  )
}
