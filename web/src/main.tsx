import '@mantine/core/styles.css'
import './style.css'
import { DirectionProvider, MantineProvider } from '@mantine/core'
import { QueryClientProvider } from '@tanstack/react-query'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { queryClient } from './api/queries'
import { App } from './app'
import { LanguageContext, languages } from './language/language'
import { theme } from './theme'

const language = languages.fa
document.documentElement.lang = language.code
document.documentElement.dir = language.direction

const root = document.getElementById('root')
if (root) {
  createRoot(root).render(
    <StrictMode>
      <LanguageContext value={language}>
        <DirectionProvider initialDirection={language.direction} detectDirection={false}>
          <MantineProvider theme={theme} forceColorScheme="light">
            <QueryClientProvider client={queryClient}>
              <App />
            </QueryClientProvider>
          </MantineProvider>
        </DirectionProvider>
      </LanguageContext>
    </StrictMode>,
  )
}
