import { useQuery } from '@tanstack/react-query'
import { body, client } from '../api/client'

export const getBrowserPhone = () => body(client.GET('/api/v1/browser-phone'))

export const useBrowserPhone = () =>
  useQuery({ queryKey: ['browser-phone'], queryFn: getBrowserPhone, staleTime: Infinity })
