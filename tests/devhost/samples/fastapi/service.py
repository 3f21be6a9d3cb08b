from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

api = FastAPI()


class Item(BaseModel):
    name: str
    price: float


@api.get("/items/{number}")
async def read(number: int, q: str | None = None) -> dict[str, object]:
    if number > 9:
        raise HTTPException(404, "no such item")
    return {"number": number, "q": q}


@api.post("/items", status_code=201)
def create(item: Item) -> Item:
    return item
