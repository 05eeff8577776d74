import { keepFocus } from '../shared/ui/keep-focus'
import './mantine.css'
import './tokens.css'
import './style.css'
import { DirectionProvider, MantineProvider } from '@mantine/core'
import { QueryClientProvider } from '@tanstack/react-query'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { queryClient } from './api/query-client'
import { whenQuiet } from './api/quiet'
import { App } from './app'
import { LanguageProvider } from './language/provider'
import { theme, variables } from './theme'
import { writeInOwnLetters } from './ui/letters'
import { SCHEME } from './ui/scheme'

const root = document.getElementById('root')
if (root) {
  createRoot(root).render(
    <StrictMode>
      <DirectionProvider initialDirection="rtl" detectDirection={false}>
        <LanguageProvider>
          <MantineProvider theme={theme} cssVariablesResolver={variables} defaultColorScheme="auto" colorSchemeManager={SCHEME}>
            <QueryClientProvider client={queryClient}>
              <App />
            </QueryClientProvider>
          </MantineProvider>
        </LanguageProvider>
      </DirectionProvider>
    </StrictMode>,
  )
  keepFocus()
  whenQuiet(writeInOwnLetters)
}
