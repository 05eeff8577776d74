import { body, client } from '../api/client'

export const getDeskPhone = () => body(client.GET('/api/v1/desk/phone'))
